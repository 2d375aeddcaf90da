// Package s3 is the sandbox's object storage: an S3 endpoint for clients, and the
// same objects for COPY INTO.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3afero"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
)

// Region is the region for which requests must be signed.
const Region = "us-east-1"

// Options configure a Store.
type Options struct {
	// Bucket is created at the start.
	Bucket string
	// Credential is the long-lived credential that is accepted. The token
	// service mints others from it.
	Credential objectstore.Credential
	// RoleARN is the role that clients may assume; ExternalID is the external id
	// that AssumeRole requires.
	RoleARN, ExternalID string
	// RoleMaxSession bounds the role's sessions; an hour by default.
	RoleMaxSession time.Duration
	// StorageCredential is the name of a storage credential with which COPY INTO
	// may read every object.
	StorageCredential string
	// ExternalLocation lets COPY INTO read every object without a credential.
	ExternalLocation bool
	// ShortLivedOnly refuses the long-lived credential in COPY INTO.
	ShortLivedOnly bool
	// Dir is the directory of the objects; empty keeps them in memory.
	Dir    string
	Faults *fault.Set
}

// Store holds the objects of one bucket. It is an http.Handler for S3 clients,
// without TLS and with path-style addresses.
type Store struct {
	options Options
	backend gofakes3.Backend
	server  http.Handler
	minted  mintedCredentials
}

// New returns a store whose bucket exists.
func New(o Options) (*Store, error) {
	if o.Bucket == "" || o.Credential.AccessKey == "" || o.Credential.SecretKey == "" {
		return nil, errors.New("s3: Options need a bucket, an access key and a secret key")
	}
	if o.Faults == nil {
		o.Faults = &fault.Set{}
	}
	if o.RoleMaxSession == 0 {
		o.RoleMaxSession = time.Hour
	}
	s := &Store{options: o, backend: s3mem.New()}
	if o.Dir != "" {
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("s3: create the directory of objects: %w", err)
		}
		fs, err := s3afero.FsPath(o.Dir, 0)
		if err != nil {
			return nil, fmt.Errorf("s3: open the directory of objects %s: %w", o.Dir, err)
		}
		if s.backend, err = s3afero.MultiBucket(fs); err != nil {
			return nil, fmt.Errorf("s3: open the directory of objects %s: %w", o.Dir, err)
		}
	}
	exists, err := s.backend.BucketExists(o.Bucket)
	if err == nil && !exists {
		err = s.backend.CreateBucket(o.Bucket)
	}
	if err != nil {
		return nil, fmt.Errorf("s3: create bucket %s: %w", o.Bucket, err)
	}
	// The age of signatures is not checked: a test may set the client's clock.
	s.server = gofakes3.New(s.backend, gofakes3.WithTimeSkewLimit(0)).Server()
	return s, nil
}

// Error is an error response of S3.
type Error struct {
	Status        int
	Code, Message string
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

var (
	errSignature = &Error{
		http.StatusForbidden,
		"SignatureDoesNotMatch",
		"The request signature we calculated does not match the signature you provided. Check your key and signing method.",
	}
	errToken = &Error{http.StatusBadRequest, "InvalidToken", "The provided token is malformed or otherwise invalid."}
)

// List returns the objects whose keys begin with prefix, by key.
func (s *Store) List(_ context.Context, bucket, prefix string, c objectstore.Credential) ([]objectstore.Object, error) {
	if err := s.authorizeEngine(
		c,
		access{action: "s3:GetBucketLocation", bucket: bucket},
		access{action: "s3:ListBucket", bucket: bucket, prefix: prefix},
	); err != nil {
		return nil, err
	}
	p := gofakes3.NewPrefix(&prefix, nil)
	list, err := s.backend.ListBucket(bucket, &p, gofakes3.ListBucketPage{})
	if err != nil {
		return nil, asError(err, "list s3://"+bucket+"/"+prefix)
	}
	out := make([]objectstore.Object, len(list.Contents))
	for i, o := range list.Contents {
		out[i] = objectstore.Object{Key: o.Key, Size: o.Size, ETag: o.ETag}
	}
	return out, nil
}

// Open reads an object.
func (s *Store) Open(_ context.Context, bucket, key string, c objectstore.Credential) (io.ReadCloser, error) {
	if err := s.authorizeEngine(c, access{action: "s3:GetObject", bucket: bucket, key: key}); err != nil {
		return nil, err
	}
	o, err := s.backend.GetObject(bucket, key, nil)
	if err != nil {
		return nil, asError(err, "read s3://"+bucket+"/"+key)
	}
	return o.Contents, nil
}

func asError(err error, doing string) error {
	code := gofakes3.ErrInternal
	var coded gofakes3.Error
	if errors.As(err, &coded) {
		code = coded.ErrorCode()
	}
	return fmt.Errorf("%s: %w", doing, &Error{Status: code.Status(), Code: string(code), Message: err.Error()})
}
