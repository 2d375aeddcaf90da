// Package objectstore is the interface through which COPY INTO lists and reads
// the files of buckets and volumes.
package objectstore

import (
	"context"
	"io"
)

// Credential signs requests to S3. In a statement it is the value of
// WITH (CREDENTIAL (...)), and empty without that clause.
type Credential struct {
	AccessKey, SecretKey, SessionToken string
	// Name is the name of a storage credential of Unity Catalog, used instead of keys.
	Name string
}

// Object is one object of a bucket, or one file of a volume.
type Object struct {
	Key  string
	Size int64
	ETag string
}

// Store holds the files that COPY INTO reads. A bucket whose name begins with a
// slash is a volume: /Volumes/catalog/schema/volume.
type Store interface {
	// List returns the objects whose keys begin with prefix.
	List(ctx context.Context, bucket, prefix string, c Credential) ([]Object, error)
	// Open reads one object.
	Open(ctx context.Context, bucket, key string, c Credential) (io.ReadCloser, error)
}
