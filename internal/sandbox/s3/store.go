// Package s3 is the sandbox's object storage: an endpoint for clients of S3, and
// the same objects for the engine that loads them.
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

// Region is the one that requests are signed for.
const Region = "us-east-1"

// Options configure a Store.
type Options struct {
	// Bucket is made at the start.
	Bucket string
	// Credential is the long-lived one that is let in; others are minted from
	// it by the token service.
	Credential objectstore.Credential
	// RoleARN is the role that AssumeRole knows, RoleMaxSession how long its
	// sessions may last (an hour by default), ExternalID what it asks for.
	RoleARN, ExternalID string
	RoleMaxSession      time.Duration
	// StorageCredential is the name under which the engine may read everything;
	// with ExternalLocation it may without one.
	StorageCredential string
	ExternalLocation  bool
	// ShortLivedOnly refuses the long-lived credential to the engine.
	ShortLivedOnly bool
	// Dir keeps the objects; empty keeps them in memory.
	Dir    string
	Faults *fault.Set
}

// Store holds objects. It is an http.Handler for clients of S3, in plain HTTP
// with path-style addresses.
type Store struct {
	options Options
	backend gofakes3.Backend
	server  http.Handler
	ids     identities
}

// New returns a store with its bucket.
func New(o Options) (*Store, error) {
	if o.Bucket == "" || o.Credential.AccessKey == "" || o.Credential.SecretKey == "" {
		return nil, errors.New("s3: a bucket, an access key and a secret key are needed")
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
			return nil, fmt.Errorf("s3: make the directory of objects: %w", err)
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
		return nil, fmt.Errorf("s3: make bucket %s: %w", o.Bucket, err)
	}
	// The clock of a client may be that of a test: signatures are checked, their
	// age is not.
	s.server = gofakes3.New(s.backend, gofakes3.WithTimeSkewLimit(0)).Server()
	return s, nil
}

// Error is a refusal in S3's words.
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
	if err := s.check(c, access{action: "s3:GetBucketLocation", bucket: bucket}, access{action: "s3:ListBucket", bucket: bucket, prefix: prefix}); err != nil {
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
	if err := s.check(c, access{action: "s3:GetObject", bucket: bucket, key: key}); err != nil {
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
