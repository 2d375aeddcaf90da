package front

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/rowset"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// rowReader reads a result and hands out its rows in portions.
type rowReader struct {
	result warehouse.Result
	// limit is the most rows that the client wants; 0 means all.
	limit int64
	// buffered holds batches that were read from the result and not yet taken.
	buffered []arrow.RecordBatch
	read     int64
	taken    int64
	eof      bool
	err      error
}

// fillBuffer reads until a batch is buffered or the result has ended.
func (r *rowReader) fillBuffer(ctx context.Context) error {
	for len(r.buffered) == 0 && !r.eof && r.err == nil {
		batch, err := r.result.Next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			r.eof = true
		case err != nil:
			r.err = err
		default:
			r.addBatch(batch)
		}
	}
	return r.err
}

func (r *rowReader) addBatch(batch arrow.RecordBatch) {
	if r.limit > 0 && r.read+batch.NumRows() >= r.limit {
		whole := batch
		batch = whole.NewSlice(0, r.limit-r.read)
		whole.Release()
		r.eof = true
	}
	r.read += batch.NumRows()
	if batch.NumRows() == 0 {
		batch.Release()
		return
	}
	r.buffered = append(r.buffered, batch)
}

// take returns the next rows within both bounds, and at least one row unless the
// result has ended. The caller releases them.
func (r *rowReader) take(ctx context.Context, maxRows, maxBytes int64) ([]arrow.RecordBatch, error) {
	var out []arrow.RecordBatch
	var rows, bytes int64
	for rows < maxRows {
		// An error that follows some rows is returned by the next take.
		if err := r.fillBuffer(ctx); err != nil && rows == 0 {
			return nil, err
		}
		if len(r.buffered) == 0 {
			break
		}
		head := r.buffered[0]
		perRow := max(1, rowset.Size(head)/head.NumRows())
		n := min(head.NumRows(), maxRows-rows)
		if room := (maxBytes - bytes) / perRow; n > room {
			if n = room; n <= 0 {
				if rows > 0 {
					break
				}
				n = 1
			}
		}
		rows, bytes = rows+n, bytes+n*perRow
		if n == head.NumRows() {
			out, r.buffered = append(out, head), r.buffered[1:]
			continue
		}
		out = append(out, head.NewSlice(0, n))
		r.buffered[0] = head.NewSlice(n, head.NumRows())
		head.Release()
	}
	r.taken += rows
	return out, nil
}

// unread puts back the rows of the last take.
func (r *rowReader) unread(batches []arrow.RecordBatch) {
	r.taken -= rowsOf(batches)
	r.buffered = append(batches, r.buffered...)
}

func (r *rowReader) release() {
	releaseAll(r.buffered)
	r.buffered, r.eof = nil, true
}

func releaseAll(batches []arrow.RecordBatch) {
	for _, b := range batches {
		b.Release()
	}
}

func rowsOf(batches []arrow.RecordBatch) (n int64) {
	for _, b := range batches {
		n += b.NumRows()
	}
	return n
}

// page is the part of a result that one FetchResults returns.
type page struct {
	start, rows int64
	more        bool
	set         *tcli.TRowSet
	// files is set for a page of links. Each fetch of the page makes new links.
	files []*spoolFile
}

// pages answers the fetches of one operation. It keeps pages that a client may
// request again after a lost answer: the last few inline pages, or all pages of
// links.
type pages struct {
	reader  *rowReader
	encoder *rowset.Encoder
	links   *linkStore
	faults  *fault.Set
	text    string

	kept []*page
	// first is the number of the page kept[0]; next is the number of the page that
	// FETCH_NEXT returns.
	first, next int
	delivered   int64
}

// keptPages is how many inline pages stay in memory for FETCH_PRIOR.
const keptPages = 3

type fetch struct {
	orientation       tcli.TFetchOrientation
	offset            *int64
	maxRows, maxBytes int64
	maxBytesPerFile   int64
	// base is the server's address as the client knows it, for links.
	base string
}

// fetch returns a page with its row set.
func (p *pages) fetch(ctx context.Context, f fetch) (*page, error) {
	number, err := p.seek(f)
	if err != nil {
		return nil, err
	}
	if number == p.first+len(p.kept) {
		made, err := p.makePage(ctx, f)
		if err != nil {
			return nil, err
		}
		p.kept = append(p.kept, made)
		if made.files == nil && len(p.kept) > keptPages {
			p.kept, p.first = p.kept[1:], p.first+1
		}
	}
	out := *p.kept[number-p.first]
	p.next = number + 1
	p.delivered = max(p.delivered, out.start+out.rows)
	if out.set == nil {
		out.set = p.linkSet(&out, f.base)
	}
	return &out, nil
}

func (p *pages) seek(f fetch) (int, error) {
	end := p.first + len(p.kept)
	number := p.next
	switch f.orientation {
	case tcli.TFetchOrientation_FETCH_NEXT:
	case tcli.TFetchOrientation_FETCH_PRIOR:
		number = p.next - 2
	case tcli.TFetchOrientation_FETCH_FIRST:
		number = 0
	case tcli.TFetchOrientation_FETCH_ABSOLUTE:
		if f.offset == nil {
			return 0, &failure{message: "FETCH_ABSOLUTE needs startRowOffset", sqlState: "HY106"}
		}
	default:
		return 0, &failure{message: fmt.Sprintf("The fetch type %s is not supported for this resultset", f.orientation), sqlState: "HY106"}
	}
	if f.offset != nil {
		number = end
		for i, kept := range p.kept {
			if *f.offset >= kept.start && *f.offset < kept.start+kept.rows {
				number = p.first + i
			}
		}
		if number == end && *f.offset != p.reader.taken {
			return 0, &failure{
				message:  fmt.Sprintf("Row offset %d is neither the next one (%d) nor in a page that is still held", *f.offset, p.reader.taken),
				sqlState: "HY107",
			}
		}
	}
	if number < p.first || number > end {
		return 0, &failure{message: fmt.Sprintf("Result page %d is no longer held; the oldest one is %d", number, p.first), sqlState: "HY107"}
	}
	return number, nil
}

func (p *pages) makePage(ctx context.Context, f fetch) (*page, error) {
	if p.encoder.Format() == tcli.TSparkRowSetType_URL_BASED_SET {
		return p.makeFiles(ctx, f)
	}
	out := &page{start: p.reader.taken}
	batches, err := p.reader.take(ctx, f.maxRows, f.maxBytes)
	if err != nil {
		return nil, err
	}
	defer releaseAll(batches)
	out.rows = rowsOf(batches)
	out.set = &tcli.TRowSet{StartRowOffset: out.start, Rows: []*tcli.TRow{}}
	if p.encoder.Format() == tcli.TSparkRowSetType_COLUMN_BASED_SET {
		out.set.Columns, err = p.encoder.Columns(batches)
	} else {
		out.set.ArrowBatches, err = p.encoder.Batches(batches)
	}
	if err != nil {
		p.reader.err = err // the page's rows are lost: later fetches must fail too
		return nil, err
	}
	out.more = p.more(ctx)
	return out, nil
}

// more reports whether rows are left. If reading fails, it returns true, and the
// next fetch returns the error.
func (p *pages) more(ctx context.Context) bool {
	return p.reader.fillBuffer(ctx) != nil || len(p.reader.buffered) > 0
}

func (p *pages) release() {
	p.reader.release()
	for _, kept := range p.kept {
		for _, f := range kept.files {
			p.links.markClosed(f)
		}
	}
	p.kept = nil
}
