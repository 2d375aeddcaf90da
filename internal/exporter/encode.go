package exporter

import (
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// layout is how staged files are written, and so how COPY INTO reads them.
type layout struct {
	format      jobs.FileFormat
	compression jobs.Compression
	// inferred leaves the types to the warehouse, which takes the names from a
	// header.
	inferred bool
	columns  []column
	// null marks a NULL cell of a CSV file: no value can be equal to it, since
	// it is made for the run. (Spark takes a quoted marker for NULL as well.)
	null string
}

// layoutOf reads a definition, with its defaults.
func layoutOf(spec jobs.AudienceExport, columns []column, null string) (layout, error) {
	l := layout{format: spec.Format, compression: spec.Compression, inferred: spec.ColumnTypes == jobs.ColumnTypesInferred, columns: columns, null: null}
	if l.format == "" {
		l.format = jobs.FormatCSV
	}
	if l.compression == "" {
		l.compression = jobs.DefaultCompression(l.format)
	}
	return l, spec.CheckFiles()
}

// extension tells the warehouse how a file is compressed.
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
	// write appends the rows of a piece.
	write(p *piece) error
	// close writes what ends the file. It does not close what is below.
	close() error
}

// newEncoder begins a file.
func (l layout) newEncoder(w io.Writer) (encoder, error) {
	if l.format == jobs.FormatParquet {
		return newParquetEncoder(w, l)
	}
	return newCSVEncoder(w, l)
}

// csvEncoder writes CSV that Apache Spark 4.0 reads back exactly. The records
// are text already: see add.
type csvEncoder struct {
	out  io.Writer
	gzip *gzip.Writer
}

// gzipLevel is the fastest: the files are read once, minutes later.
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

func (e *csvEncoder) write(p *piece) error {
	_, err := e.out.Write(p.text)
	return err
}

func (e *csvEncoder) close() error {
	if e.gzip == nil {
		return nil
	}
	return e.gzip.Close()
}

// piece is some rows on their way from the scan to a file.
type piece struct {
	// text are the rows as CSV; for other formats cells are they, one cell
	// after the other.
	text  []byte
	cells []jobs.Value
	rows  int
	// size is how much text of cells the piece holds, about.
	size int
}

// add appends a row to a piece. CSV is made here and not by the writers: rows
// that are kept as cells until then are copied once more, and hold on to
// whatever their texts are parts of.
func (l layout) add(p *piece, values []jobs.Value) {
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

// appendRecord writes one CSV record. Every value is quoted, quotes doubled:
// Spark's reader makes NULL of an empty cell that is not.
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
		if strings.IndexByte(text, '"') < 0 { // most have none, and are spared a call
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
