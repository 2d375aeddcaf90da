package duck

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/copyinto"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
)

// openDecompressed opens a file, and decompresses it if its name ends in .gz.
func openDecompressed(ctx context.Context, source *copyinto.Source, f copyinto.File) (io.ReadCloser, error) {
	r, err := source.Open(ctx, f)
	if err != nil {
		return nil, err
	}
	switch {
	case strings.HasSuffix(f.Key, ".gz"):
		z, err := gzip.NewReader(r)
		if err != nil {
			_ = r.Close()
			return nil, copyinto.Unreadable(f.URL(), err)
		}
		return decompressedFile{z, r}, nil
	case slices.ContainsFunc([]string{".bz2", ".zst", ".lz4", ".snappy", ".deflate", ".xz"}, func(s string) bool { return strings.HasSuffix(f.Key, s) }):
		_ = r.Close()
		return nil, sqlerror.Unsupported(fmt.Sprintf("the compression of %s", f.URL()))
	}
	return r, nil
}

type decompressedFile struct {
	io.Reader
	file io.Closer
}

func (u decompressedFile) Close() error { return u.file.Close() }
