// Package objectstore is what the SQL engines see of buckets and volumes:
// COPY INTO lists and reads files through it.
package objectstore

import (
	"context"
	"io"
)

// Credential is what a request to S3 is signed with. For the engines it is what
// a statement names in WITH (CREDENTIAL (...)), or empty if it names none.
type Credential struct {
	AccessKey, SecretKey, SessionToken string
	// Name is a storage credential of Unity Catalog, in place of the keys.
	Name string
}

// Object is one object of a bucket, or one file of a volume.
type Object struct {
	Key  string
	Size int64
	ETag string
}

// Store is where COPY INTO reads its files. A bucket whose name begins with a
// slash is a volume: /Volumes/catalog/schema/volume.
type Store interface {
	// List returns the objects whose keys begin with prefix.
	List(ctx context.Context, bucket, prefix string, c Credential) ([]Object, error)
	// Open reads one object.
	Open(ctx context.Context, bucket, key string, c Credential) (io.ReadCloser, error)
}
