package embedded

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// writeChunk is the size of one write call in bytes, and of the text in one frame of a
// compressed extent. A chunk of this size stays in the processor's cache. Writes of a
// megabyte take three times as long for each byte, because Linux then allocates pieces of
// memory as large as the write.
const writeChunk = 256 << 10

// longLine is room for a line that exceeds a chunk.
const longLine = writeChunk / 8

// castagnoli is the CRC-32 polynomial for which processors have an instruction.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// buffers holds the buffers of segment text for reuse.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, writeChunk+longLine)
	return &b
}}

// compressor compresses a frame, by its method EncodeAll, for several goroutines. The fastest
// level makes lines of events a fifth to a sixth as long, and takes a CPU-second for 300 MB.
var compressor = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
})

// decoders holds decoders for reuse. With a concurrency of one they have no goroutines.
var decoders sync.Pool

// newDecoder returns a decoder of the pool, or a new one.
func newDecoder() (*zstd.Decoder, error) {
	if d, ok := decoders.Get().(*zstd.Decoder); ok {
		return d, nil
	}
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
}

// extentWriter writes the lines of one extent to a segment, as text or compressed.
type extentWriter struct {
	file segmentFile
	// frames compresses the text. It is nil for an extent of plain text.
	frames *zstd.Encoder
	// start is the extent's first byte in the segment, and length the number of bytes there.
	start, length int64
	// text is the number of bytes of the lines, and checksum their CRC-32C.
	text     int64
	checksum uint32

	pooled *[]byte
	buffer []byte
	frame  []byte
}

// newExtentWriter returns a writer of an extent that begins at byte start of a segment.
func newExtentWriter(file segmentFile, start int64, compress bool) (*extentWriter, error) {
	w := &extentWriter{file: file, start: start}
	if compress {
		var err error
		if w.frames, err = compressor(); err != nil {
			return nil, err
		}
	}
	w.pooled, _ = buffers.Get().(*[]byte)
	w.buffer = (*w.pooled)[:0]
	return w, nil
}

// wrote is called after lines were appended to the buffer.
func (w *extentWriter) wrote() error {
	if len(w.buffer) < writeChunk {
		return nil
	}
	return w.flush()
}

func (w *extentWriter) flush() error {
	if len(w.buffer) == 0 {
		return nil
	}
	stored := w.buffer
	if w.frames != nil {
		w.frame = w.frames.EncodeAll(w.buffer, w.frame[:0])
		stored = w.frame
	}
	n, err := w.file.WriteAt(stored, w.start+w.length)
	w.length += int64(n)
	w.text += int64(len(w.buffer))
	w.checksum = crc32.Update(w.checksum, castagnoli, w.buffer)
	w.buffer = w.buffer[:0]
	return err
}

// textLength is the value of the column text_length: NULL for an extent of plain text.
func (w *extentWriter) textLength() sql.Null[int64] {
	return sql.Null[int64]{V: w.text, Valid: w.frames != nil}
}

// release gives the buffer back to the pool.
func (w *extentWriter) release() {
	if cap(w.buffer) <= 2*writeChunk {
		*w.pooled = w.buffer
		buffers.Put(w.pooled)
	}
	w.buffer = nil
}

// extentText reads the lines of extents, one after the other. Its zero value is ready.
type extentText struct {
	buffer  *bufio.Reader
	decoder *zstd.Decoder
	stored  storedBytes
}

// open begins an extent at a byte of its text. It may return an error of the segment.
func (t *extentText) open(file io.ReaderAt, x storedExtent, offset int64) error {
	t.stored = storedBytes{}
	if !x.textLength.Valid {
		t.stored.from = io.NewSectionReader(file, x.start+offset, x.length-offset)
		t.reset(&t.stored)
		return nil
	}
	if t.decoder == nil {
		var err error
		if t.decoder, err = newDecoder(); err != nil {
			return err
		}
	}
	t.stored.from = io.NewSectionReader(file, x.start, x.length)
	// Reset returns an error of the segment, or of the first frame, which the next read
	// returns again.
	_ = t.decoder.Reset(&t.stored)
	t.reset(t.decoder)
	if t.stored.failure != nil {
		return t.stored.failure
	}
	_, err := io.CopyN(io.Discard, t.buffer, offset)
	return t.explain(err)
}

func (t *extentText) reset(from io.Reader) {
	if t.buffer == nil {
		t.buffer = bufio.NewReaderSize(from, writeChunk)
	} else {
		t.buffer.Reset(from)
	}
}

// errDamaged means that the bytes of a compressed extent are not those that were written.
var errDamaged = errors.New("the compressed text cannot be read")

// explain returns the error of the segment if there was one. Any other error than io.EOF
// comes from the decoder, and wraps errDamaged.
func (t *extentText) explain(err error) error {
	switch {
	case err == nil || errors.Is(err, bufio.ErrBufferFull):
		return err
	case t.stored.failure != nil:
		return t.stored.failure
	case errors.Is(err, io.EOF):
		return io.EOF
	}
	return fmt.Errorf("%w: %w", errDamaged, err)
}

// close gives the decoder back.
func (t *extentText) close() {
	if t.decoder != nil && t.decoder.Reset(nil) == nil {
		decoders.Put(t.decoder)
	}
	t.decoder = nil
}

// storedBytes reads the bytes of an extent and keeps the error of the segment.
type storedBytes struct {
	from    io.Reader
	failure error
}

func (s *storedBytes) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.failure = err
	}
	return n, err
}
