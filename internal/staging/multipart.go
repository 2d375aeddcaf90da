package staging

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
)

// part is a part of a multipart upload.
type part struct {
	buffer [partSize]byte
	n      int
}

// freeParts keeps unused buffers for the next upload. The number of buffers never exceeds
// the largest number in use at the same time. With AWS' transfer manager, which allocates
// new buffers for each object, and with a sync.Pool, which keeps buffers for each
// processor, an export's memory grew with the number of its files.
type freeParts chan *part

// keptParts is the number of buffers for four files that are written at the same time.
const keptParts = 8

func (f freeParts) get() *part {
	select {
	case p := <-f:
		return p
	default:
		return new(part)
	}
}

func (f freeParts) put(p *part) {
	select {
	case f <- p:
	default:
	}
}

// readPart fills a part. The error io.EOF itself means that this is the last part of the
// body; it may be empty. Any other error, including io.ErrUnexpectedEOF and an error that
// wraps io.EOF, means that the body is incomplete and the object must not be created.
func (s *S3) readPart(body io.Reader) (p *part, err error) {
	p = s.parts.get()
	for p.n = 0; p.n < len(p.buffer) && err == nil; {
		var n int
		n, err = body.Read(p.buffer[p.n:])
		p.n += n
	}
	return p, err
}

func ended(err error) bool {
	return err == io.EOF //nolint:errorlint // see readPart
}

// send uploads a body while it is read. A body that fits into a part is sent in one
// request, a larger one as a multipart upload, which sends parts while the next one is
// filled.
func (s *S3) send(ctx context.Context, key string, body io.Reader) error {
	first, err := s.readPart(body)
	if err == nil {
		return s.sendParts(ctx, key, first, body)
	}
	defer s.parts.put(first)
	if !ended(err) {
		return err
	}
	out, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &s.cfg.Bucket, Key: &key, Body: bytes.NewReader(first.buffer[:first.n])})
	if err == nil && aws.ToString(out.ETag) == "" {
		err = errNotStored
	}
	return err
}

// errNotStored means that an answer of success has no ETag, which S3 gives to each object
// that it stores.
var errNotStored = fmt.Errorf("%w: it does not confirm that the object is stored", errNotS3)

// errMostParts reports S3's limit. An object of 48 GiB reaches it with parts of partSize.
var errMostParts = errors.New("an object has at most 10,000 parts")

const mostParts = 10_000

// sendParts uploads the first part and the parts that are read after it. The SDK sends a
// checksum with each part, which S3 verifies, and retries failed parts.
func (s *S3) sendParts(ctx context.Context, key string, first *part, body io.Reader) error {
	upload, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &s.cfg.Bucket, Key: &key})
	if err != nil {
		s.parts.put(first)
		return err
	}
	group, sending := errgroup.WithContext(ctx)
	group.SetLimit(partsAtOnce)
	var sent []*types.CompletedPart
	submit := func(p *part) {
		done := &types.CompletedPart{PartNumber: aws.Int32(int32(len(sent) + 1))}
		sent = append(sent, done)
		group.Go(func() error {
			defer s.parts.put(p)
			return panics.Catch(func() error { return s.sendPart(sending, key, upload.UploadId, p, done) })
		})
	}
	submit(first)
	for err == nil && sending.Err() == nil {
		if len(sent) == mostParts {
			err = errMostParts
			break
		}
		var next *part
		if next, err = s.readPart(body); next.n > 0 && (err == nil || ended(err)) {
			submit(next)
		} else {
			s.parts.put(next)
		}
	}
	if ended(err) {
		err = nil
	}
	// The error of a part is the cause of the error of the body.
	if err = cmp.Or(group.Wait(), err); err == nil {
		err = s.complete(ctx, key, upload.UploadId, sent)
	}
	if err != nil {
		return errors.Join(err, s.abandon(ctx, key, upload.UploadId))
	}
	return nil
}

func (s *S3) sendPart(ctx context.Context, key string, upload *string, p *part, done *types.CompletedPart) error {
	out, err := s.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &s.cfg.Bucket, Key: &key, UploadId: upload, PartNumber: done.PartNumber, Body: bytes.NewReader(p.buffer[:p.n]),
	})
	if err != nil {
		return err
	}
	done.ETag = out.ETag
	done.ChecksumCRC32, done.ChecksumCRC32C, done.ChecksumCRC64NVME = out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME
	done.ChecksumSHA1, done.ChecksumSHA256 = out.ChecksumSHA1, out.ChecksumSHA256
	return nil
}

func (s *S3) complete(ctx context.Context, key string, upload *string, sent []*types.CompletedPart) error {
	all := make([]types.CompletedPart, len(sent))
	for i, p := range sent {
		all[i] = *p
	}
	out, err := s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &s.cfg.Bucket, Key: &key, UploadId: upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: all},
	})
	if err == nil && aws.ToString(out.ETag) == "" {
		err = errNotStored
	}
	return err
}

// abandon aborts an upload, even after a cancel, because S3 charges for its parts and does
// not list them as objects.
func (s *S3) abandon(ctx context.Context, key string, upload *string) error {
	_, err := bounded(context.WithoutCancel(ctx), func(ctx context.Context) (*s3.AbortMultipartUploadOutput, error) {
		return s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.cfg.Bucket, Key: &key, UploadId: upload})
	})
	if errorCode(err) == "NoSuchUpload" {
		return nil
	}
	return err
}
