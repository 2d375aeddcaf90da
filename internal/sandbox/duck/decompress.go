package duck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"

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
		return newDecompressedFile(z, r), nil
	case slices.ContainsFunc([]string{".bz2", ".zst", ".lz4", ".snappy", ".deflate", ".xz"}, func(s string) bool { return strings.HasSuffix(f.Key, s) }):
		_ = r.Close()
		return nil, sqlerror.Unsupported(fmt.Sprintf("the compression of %s", f.URL()))
	}
	return r, nil
}

// decompressedFile decompresses a file in another goroutine, ahead of the reader.
type decompressedFile struct {
	blocks chan block
	free   chan []byte
	closed chan struct{}
	ended  chan struct{}
	now    block
	file   io.Closer
}

// block is a part of the decompressed text, and the error that followed it.
type block struct {
	text, rest []byte
	err        error
}

// blockBytes and blocksAhead bound the text that waits for its reader.
const (
	blockBytes  = 256 << 10
	blocksAhead = 4
)

func newDecompressedFile(z io.Reader, file io.Closer) *decompressedFile {
	d := &decompressedFile{
		blocks: make(chan block, blocksAhead), free: make(chan []byte, blocksAhead+2),
		closed: make(chan struct{}), ended: make(chan struct{}), file: file,
	}
	go func() {
		defer close(d.ended)
		for err := error(nil); err == nil; {
			var b block
			select {
			case b.text = <-d.free:
			default:
				b.text = make([]byte, blockBytes)
			}
			var n int
			if n, err = io.ReadFull(z, b.text); errors.Is(err, io.ErrUnexpectedEOF) && n > 0 {
				err = nil // the next read tells an end from an error
			}
			b.rest, b.err = b.text[:n], err
			select {
			case d.blocks <- b:
			case <-d.closed:
				return
			}
		}
	}()
	return d
}

func (d *decompressedFile) Read(p []byte) (int, error) {
	for len(d.now.rest) == 0 {
		if d.now.err != nil {
			return 0, d.now.err
		}
		if d.now.text != nil {
			d.free <- d.now.text // never blocks: there is room for all blocks
		}
		d.now = <-d.blocks
	}
	n := copy(p, d.now.rest)
	d.now.rest = d.now.rest[n:]
	return n, nil
}

func (d *decompressedFile) Close() error {
	close(d.closed)
	<-d.ended // the goroutine reads the file
	return d.file.Close()
}
