package exporter

import (
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// layout is the format of the staged files.
type layout struct {
	format      jobs.FileFormat
	compression jobs.Compression
	// inferred means that the warehouse infers the columns' types. The files have a
	// header with the columns' names then.
	inferred bool
	columns  []column
	// null is the text of a NULL cell of a CSV file. It is random, so that no value
	// equals it, because Spark reads the text as NULL even if it is quoted.
	null string
}

// layoutOf returns the layout of a definition, with defaults applied.
func layoutOf(spec jobs.AudienceExport, columns []column, null string) (layout, error) {
	l := layout{format: spec.Format, compression: spec.Compression, columns: columns, null: null,
		inferred: spec.ColumnTypes == jobs.ColumnTypesInferred}
	if l.format == "" {
		l.format = jobs.FormatCSV
	}
	if l.compression == "" {
		l.compression = jobs.DefaultCompression(l.format)
	}
	return l, spec.CheckFiles()
}

// extension is the extension of file names. The warehouse finds the compression by it.
func (l layout) extension() string {
	switch {
	case l.format == jobs.FormatParquet:
		return ".parquet"
	case l.compression == jobs.CompressionGzip:
		return ".csv.gz"
	default:
		return ".csv"
	}
}

// encoder writes the rows of one file.
type encoder interface {
	// write appends the rows of a chunk.
	write(p *rowChunk) error
	// close writes the end of the file. It does not close the underlying writer.
	close() error
}

// newEncoder begins a file.
func (l layout) newEncoder(w io.Writer) (encoder, error) {
	if l.format == jobs.FormatParquet {
		return newParquetEncoder(w, l)
	}
	return newCSVEncoder(w, l)
}

// csvEncoder writes CSV that Apache Spark 4.0 reads back exactly. Chunks already contain
// the encoded records; see add.
type csvEncoder struct {
	out  io.Writer
	gzip *gzip.Writer
}

// gzipLevel is the fastest level, because each file is read only once, minutes later.
const gzipLevel = gzip.BestSpeed

func newCSVEncoder(w io.Writer, l layout) (*csvEncoder, error) {
	e := &csvEncoder{out: w}
	if l.compression == jobs.CompressionGzip {
		z, err := gzip.NewWriterLevel(w, gzipLevel)
		if err != nil {
			return nil, fmt.Errorf("begin a gzip file: %w", err)
		}
		e.gzip, e.out = z, z
	}
	if !l.inferred {
		return e, nil
	}
	names := make([]jobs.Value, len(l.columns))
	for i, c := range l.columns {
		names[i].Text = c.name
	}
	_, err := e.out.Write(appendRecord(nil, names, l.null))
	return e, err
}

func (e *csvEncoder) write(p *rowChunk) error {
	_, err := e.out.Write(p.text)
	return err
}

func (e *csvEncoder) close() error {
	if e.gzip == nil {
		return nil
	}
	return e.gzip.Close()
}

// rowChunk is a group of rows that the scan passes to a writer.
type rowChunk struct {
	// text holds the rows as CSV. For other formats, cells holds the rows, one cell
	// after the other.
	text  []byte
	cells []jobs.Value
	rows  int
	// size is the approximate number of bytes of the chunk's cells.
	size int
}

// add appends a row to a chunk. It encodes CSV here and not in the writers, because cells
// that wait for a writer would have to be copied again, and would keep the larger texts
// in memory of which they are parts.
func (l layout) add(p *rowChunk, values []jobs.Value) {
	p.rows++
	if l.format == jobs.FormatCSV {
		p.text = appendRecord(p.text, values, l.null)
		p.size = len(p.text)
		return
	}
	p.cells = append(p.cells, values...)
	for i := range values {
		p.size += len(values[i].Text)
	}
}

// appendRecord appends one CSV record. Every value is quoted, with quotes doubled,
// because Spark reads an empty cell without quotes as NULL.
func appendRecord(line []byte, values []jobs.Value, null string) []byte {
	for i := range values {
		if i > 0 {
			line = append(line, ',')
		}
		if values[i].Null {
			line = append(line, null...)
			continue
		}
		text := values[i].Text
		line = append(line, '"')
		if strings.IndexByte(text, '"') < 0 { // fast path: most texts have no quotes
			line = append(line, text...)
		} else {
			line = appendDoubled(line, text)
		}
		line = append(line, '"')
	}
	return append(line, '\n')
}

// appendDoubled doubles the quotes of a text.
func appendDoubled(line []byte, text string) []byte {
	for {
		quote := strings.IndexByte(text, '"')
		if quote < 0 {
			return append(line, text...)
		}
		line = append(line, text[:quote+1]...)
		line = append(line, '"')
		text = text[quote+1:]
	}
}
