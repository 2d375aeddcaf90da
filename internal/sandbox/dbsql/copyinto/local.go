package copyinto

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
)

// LocalFile is a source of one file of this machine.
func LocalFile(path, format string) (*Source, File) {
	return &Source{store: localFiles{}, location: path, format: format}, File{Object: objectstore.Object{Key: path}}
}

type localFiles struct{}

func (localFiles) List(context.Context, string, string, objectstore.Credential) ([]objectstore.Object, error) {
	return nil, errors.New("files of this machine are named one by one; they cannot be listed")
}

func (localFiles) Open(_ context.Context, _, key string, _ objectstore.Credential) (io.ReadCloser, error) {
	return os.Open(key)
}
