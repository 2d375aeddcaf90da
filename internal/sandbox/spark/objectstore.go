package spark

import (
	"context"
	"io"
)

// Credential is what a statement names in WITH (CREDENTIAL (...)), or empty
// when it names none.
type Credential struct {
	AccessKey, SecretKey, SessionToken string
	// Name is that of a storage credential, which stands for the keys.
	Name string
}

// Object is one object of a bucket.
type Object struct {
	Key  string
	Size int64
	ETag string
}

// ObjectStore is where COPY INTO reads its files.
type ObjectStore interface {
	// List returns the objects whose keys begin with prefix.
	List(ctx context.Context, bucket, prefix string, c Credential) ([]Object, error)
	// Open reads one object.
	Open(ctx context.Context, bucket, key string, c Credential) (io.ReadCloser, error)
}
