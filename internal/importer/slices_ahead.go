package importer

import (
	"context"
	"errors"
	"iter"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
)

// pages are the pages of an answer, and answer begins to read them.
type (
	pages  = iter.Seq2[*databricks.Batch, error]
	answer = func(ctx context.Context) pages
)

// slicesAhead reads the answers of slices, one after the other. The statement of the next
// slice is sent while the last part of a slice is read, so that the warehouse sorts
// meanwhile. A session executes one statement at a time: two of them take turns.
type slicesAhead struct {
	r *run
	// sources are the run's session and another one; without that, no statement is sent
	// ahead.
	sources []source
	close   func() error
	// asked is the answer to the next slice; nil if it was not asked for yet.
	asked *askedPages
}

// aheadPart is the part of a slice at whose beginning the next one is asked for: the last
// tenth. An answer that waits for long is lost, since its links expire.
const aheadPart = 10

// readAhead prepares the reading of slices. The second session cannot see a temporary copy. A
// session that cannot be opened is no error: the slices are read in one.
func (r *run) readAhead(ctx context.Context, slices int) *slicesAhead {
	a := &slicesAhead{r: r, sources: []source{r.src}, close: func() error { return nil }}
	if slices < 2 || r.snap.copied == temporaryCopy || r.imp.limit >= 0 {
		return a
	}
	if second, closeSecond, err := r.imp.openSource(ctx); err == nil {
		a.sources, a.close = append(a.sources, second), closeSecond
	}
	return a
}

// end gives up what was asked for, and closes the second session.
func (a *slicesAhead) end() {
	if a.asked != nil {
		a.asked.stop()
		a.asked = nil
	}
	_ = a.close() // the rows were read, or the run has an error
}

// read returns the answer to the query of slice number n, of which rows are expected. next is
// the query of the slice after it; nil after the last one. ctx is the context of the answer to
// that one.
func (a *slicesAhead) read(ctx context.Context, n int, q rowsQuery, rows int64, next *rowsQuery) answer {
	return func(reading context.Context) pages {
		return func(yield func(*databricks.Batch, error) bool) {
			from := a.sources[n%len(a.sources)].rows(reading, a.r.snap, q)
			if asked := a.asked; asked != nil {
				a.asked = nil
				from = asked.pages(reading)
			}
			var seen int64
			for page, err := range from {
				if !yield(page, err) || err != nil {
					return
				}
				seen += int64(page.Len())
				if len(a.sources) > 1 && next != nil && a.asked == nil && seen >= rows-rows/aheadPart {
					a.asked = ask(ctx, a.sources[(n+1)%len(a.sources)], a.r.snap, *next)
				}
			}
		}
	}
}

// askedPages is an answer whose first page waits to be read.
type askedPages struct {
	arrived chan askedPage
	cancel  context.CancelFunc
	// done is closed when the statement is closed.
	done chan struct{}
}

type askedPage struct {
	batch *databricks.Batch
	err   error
}

// errAskedEnded is the error of an answer whose end did not arrive.
var errAskedEnded = errors.New("the answer was given up before its end")

// ask sends a query, and holds the first page of its answer.
func ask(ctx context.Context, src source, s snapshot, q rowsQuery) *askedPages {
	ctx, cancel := context.WithCancel(ctx)
	a := &askedPages{arrived: make(chan askedPage), cancel: cancel, done: make(chan struct{})}
	pass := func(p askedPage) bool {
		select {
		case a.arrived <- p:
			return true
		case <-ctx.Done():
			return false
		}
	}
	go func() {
		defer close(a.done)
		err := panics.Catch(func() error {
			for batch, err := range src.rows(ctx, s, q) {
				if err != nil {
					return err
				}
				if !pass(askedPage{batch: batch}) {
					return errAskedEnded
				}
			}
			return nil
		})
		pass(askedPage{err: err})
	}()
	return a
}

// pages passes the answer on, and closes its statement. An answer ends with a page that has
// neither rows nor an error: without it, the end is not known.
func (a *askedPages) pages(ctx context.Context) pages {
	return func(yield func(*databricks.Batch, error) bool) {
		defer a.stop()
		for {
			select {
			case p := <-a.arrived:
				if p.batch == nil && p.err == nil {
					return
				}
				if !yield(p.batch, p.err) || p.err != nil {
					return
				}
			case <-a.done:
				yield(nil, errors.Join(errAskedEnded, ctx.Err()))
				return
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
		}
	}
}

// stop gives the answer up, and waits until its statement is closed.
func (a *askedPages) stop() {
	a.cancel()
	<-a.done
}
