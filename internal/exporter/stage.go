package exporter

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// fileBytes is where a staged file ends: a CSV read with multiLine is one task
// at the warehouse, so that several files of this size load side by side.
const fileBytes = 64 << 20

// progressRows is how often the scan reports.
const progressRows = 1000

// staged is what a scan wrote.
type staged struct {
	files []string // names below the run's prefix
	rows  int64
	bytes int64
	// null marks a NULL cell: no value can be equal to it, since it is made
	// for this run. (Spark takes a quoted marker for NULL as well.)
	null string
}

// stage writes the profiles to CSV files below the run's prefix.
func (e *Export) stage(ctx context.Context, columns int, profiles iter.Seq2[[]jobs.Value, error]) (*staged, error) {
	s := &staged{null: `\N` + rand.Text()}
	// An object that COPY INTO ignores, for its name begins with "_": a run
	// that dies between here and its first file is still found and swept.
	marker, err := e.Staging.Create(ctx, e.prefix(e.RunID)+"_run")
	if err != nil {
		return nil, err
	}
	if _, err := marker.Write([]byte(e.JobID + "\n")); err != nil {
		return nil, errors.Join(err, marker.Abort())
	}
	if err := marker.Close(); err != nil {
		return nil, err
	}
	e.Progress.Phase("writing the audience to staging", 0)
	w := &fileWriter{e: e, s: s}
	line := make([]byte, 0, 4096)
	var unreported int64
	for values, err := range profiles {
		if err != nil {
			return nil, errors.Join(err, w.abort())
		}
		if len(values) != columns {
			return nil, errors.Join(fmt.Errorf("a profile has %d values for %d columns", len(values), columns), w.abort())
		}
		line = appendRecord(line[:0], values, s.null)
		if err := w.write(ctx, line); err != nil {
			return nil, errors.Join(err, w.abort())
		}
		s.rows++
		if unreported++; unreported == progressRows {
			e.Progress.Advance(unreported)
			unreported = 0
		}
	}
	if err := w.finish(); err != nil {
		return nil, err
	}
	e.Progress.Advance(unreported)
	e.Progress.Count(func(c *jobs.Counts) { c.RowsRead, c.Bytes = s.rows, s.bytes })
	return s, nil
}

// appendRecord writes one CSV record. Every value is quoted, quotes doubled:
// Spark's reader makes NULL of an empty cell that is not.
func appendRecord(line []byte, values []jobs.Value, null string) []byte {
	for i, v := range values {
		if i > 0 {
			line = append(line, ',')
		}
		if v.Null {
			line = append(line, null...)
			continue
		}
		line = append(line, '"')
		for j := range len(v.Text) {
			if v.Text[j] == '"' {
				line = append(line, '"')
			}
			line = append(line, v.Text[j])
		}
		line = append(line, '"')
	}
	return append(line, '\n')
}

// fileWriter cuts the records into files.
type fileWriter struct {
	e      *Export
	s      *staged
	object Object
	buffer *bufio.Writer
	size   int64
}

func (w *fileWriter) write(ctx context.Context, record []byte) error {
	if w.object == nil {
		name := fmt.Sprintf("part-%05d.csv", len(w.s.files))
		object, err := w.e.Staging.Create(ctx, w.e.prefix(w.e.RunID)+name)
		if err != nil {
			return err
		}
		w.s.files = append(w.s.files, name)
		w.object, w.buffer, w.size = object, bufio.NewWriterSize(object, 1<<20), 0
	}
	n, err := w.buffer.Write(record)
	w.size += int64(n)
	w.s.bytes += int64(n)
	if err == nil && w.size >= fileBytes {
		err = w.finish()
	}
	return err
}

func (w *fileWriter) finish() error {
	if w.object == nil {
		return nil
	}
	if err := w.buffer.Flush(); err != nil {
		return errors.Join(err, w.abort())
	}
	err := w.object.Close()
	w.object = nil
	return err
}

func (w *fileWriter) abort() error {
	if w.object == nil {
		return nil
	}
	err := w.object.Abort()
	w.object = nil
	return err
}
