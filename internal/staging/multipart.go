package staging

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

// part is a piece of an object that is sent at once.
type part struct {
	buffer [partSize]byte
	n      int
}

// freeParts keeps the buffers of a staging place: they are filled, sent and
// filled again, by one upload or the next, so that there are never more than
// were in use at once. (AWS' own transfer manager makes new ones for each
// object, and a sync.Pool hides some from who runs on another processor: by
// either, an export's memory grows with its files.)
type freeParts chan *part

// keptParts is what four files that are written side by side use.
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

// readPart fills a part. It is the body's last, and may be empty, where the
// error is io.EOF itself: an error that wraps it, or says that the end was
// unexpected, is why the object must not be made of what was read.
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

// send uploads a body while it is read: at once if it fits in a part, else as
// parts, of which some are on their way while the next one is filled.
func (s *S3) send(ctx context.Context, key string, body io.Reader) error {
	first, err := s.readPart(body)
	if err == nil {
		return s.sendParts(ctx, key, first, body)
	}
	defer s.parts.put(first)
	if !ended(err) {
		return err
	}
	_, err = s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &s.cfg.Bucket, Key: &key, Body: bytes.NewReader(first.buffer[:first.n])})
	return err
}

// errMostParts is S3's limit; with parts of partSize an object of 48 GiB meets it.
var errMostParts = errors.New("an object has at most 10,000 parts")

const mostParts = 10_000

// sendParts uploads the first part and those that are read after it. The SDK
// gives each its checksum, which the store compares, and sends a part again
// that did not arrive.
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
			return s.sendPart(sending, key, upload.UploadId, p, done)
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
	// What a part failed of comes before what it made of the body.
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
	_, err := s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &s.cfg.Bucket, Key: &key, UploadId: upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: all},
	})
	return err
}

// abandon drops what was sent of an object, also after a cancel: S3 charges for
// it, and no listing shows it.
func (s *S3) abandon(ctx context.Context, key string, upload *string) error {
	_, err := bounded(context.WithoutCancel(ctx), func(ctx context.Context) (*s3.AbortMultipartUploadOutput, error) {
		return s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.cfg.Bucket, Key: &key, UploadId: upload})
	})
	if errorCode(err) == "NoSuchUpload" {
		return nil
	}
	return err
}
