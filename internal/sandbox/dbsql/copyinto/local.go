package copyinto

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
)

// LocalFormat returns the FILEFORMAT of a local file by its extension: CSV, which
// may be compressed with gzip, or PARQUET. It returns an error if the file does not
// exist.
func LocalFormat(path string) (string, error) {
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("read the file to load: %w", err)
	}
	name := strings.TrimSuffix(strings.ToLower(path), ".gz")
	switch {
	case strings.HasSuffix(name, ".parquet"):
		return "PARQUET", nil
	case strings.HasSuffix(name, ".csv"):
		return "CSV", nil
	}
	return "", sqlerror.Unsupported("loading " + filepath.Base(path) + " (only .parquet, .csv and .csv.gz are)")
}

// LocalFile returns a source of one local file.
func LocalFile(path, format string) (*Source, File) {
	return &Source{store: localFiles{}, location: path, format: format}, File{Object: objectstore.Object{Key: path}}
}

type localFiles struct{}

func (localFiles) List(context.Context, string, string, objectstore.Credential) ([]objectstore.Object, error) {
	return nil, errors.New("local files cannot be listed")
}

func (localFiles) Open(_ context.Context, _, key string, _ objectstore.Credential) (io.ReadCloser, error) {
	return os.Open(key)
}
