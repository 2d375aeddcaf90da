package embedded

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
)

// The size of a chunk.
const (
	chunkEvents = 2048
	chunkBytes  = 512 << 10
)

// maxEvaluators is the largest number of goroutines that evaluate events.
const maxEvaluators = 4

// chunk is a number of consecutive events of a stream. It is read by one goroutine,
// evaluated by another, and then belongs to the builder until its batch is committed.
type chunk struct {
	// lines are the lines of the events, one after the other. Line n ends at ends[n].
	lines string
	ends  []int
	// at is the position behind the chunk, and place says where that is.
	at    position
	place string

	evaluated evaluation
	err       error
	// done is closed when evaluated or err is set.
	done chan struct{}
}

// aheadEvaluation reads and evaluates the events of a stream while the builder merges
// earlier ones. The chunks keep the order of the stream. At most limits.aheadBytes of
// lines are read ahead.
type aheadEvaluation struct {
	ordered chan *chunk
	room    *semaphore.Weighted
	// most is the size of room, and events the largest number of events of a chunk.
	most, events int
	cancel       context.CancelFunc
	group        sync.WaitGroup
}

// evaluateAhead begins to read and evaluate a stream. The caller calls next until it
// fails, and then stop.
func (b *builder) evaluateAhead(ctx context.Context, s *streamMappings, r *streamReader) *aheadEvaluation {
	ctx, cancel := context.WithCancel(ctx)
	a := &aheadEvaluation{
		ordered: make(chan *chunk, 1+b.limits.aheadBytes/chunkBytes), room: semaphore.NewWeighted(int64(b.limits.aheadBytes)),
		most: b.limits.aheadBytes, events: min(chunkEvents, b.batchEvents), cancel: cancel,
	}
	work := make(chan *chunk)
	a.group.Go(func() {
		defer close(a.ordered)
		defer close(work)
		err := panics.Catch(func() error { return a.read(ctx, r, work) })
		if err != nil && !errors.Is(err, io.EOF) {
			a.deliver(ctx, failedChunk(err))
		}
	})
	for n := range max(1, min(runtime.GOMAXPROCS(0)-1, maxEvaluators)) {
		mappings := s
		if n > 0 {
			mappings = s.bound()
		}
		e := &evaluator{plan: b.plan, stream: mappings, erased: b.erased, damage: b.p.damageError}
		a.group.Go(func() {
			for c := range work {
				c.err = panics.Catch(func() error { return e.evaluate(c) })
				close(c.done)
			}
		})
	}
	return a
}

func failedChunk(err error) *chunk {
	c := &chunk{err: err, done: make(chan struct{})}
	close(c.done)
	return c
}

// read reads the stream into chunks, and hands each of them to an evaluator.
func (a *aheadEvaluation) read(ctx context.Context, r *streamReader, work chan<- *chunk) error {
	var lines []byte
	for {
		c := &chunk{done: make(chan struct{})}
		lines = lines[:0]
		var err error
		for err == nil && len(c.ends) < a.events && len(lines) < chunkBytes {
			var line []byte
			if line, err = r.nextLine(ctx); err == nil {
				lines = append(lines, line...)
				c.ends = append(c.ends, len(lines))
			}
		}
		if len(c.ends) > 0 {
			c.lines, c.at, c.place = string(lines), r.at, r.place()
			if failed := a.room.Acquire(ctx, a.weight(c)); failed != nil {
				return failed
			}
			a.deliver(ctx, c)
			select {
			case work <- c:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err != nil {
			return err
		}
	}
}

func (a *aheadEvaluation) deliver(ctx context.Context, c *chunk) {
	select {
	case a.ordered <- c:
	case <-ctx.Done():
	}
}

// weight is the room that a chunk takes.
func (a *aheadEvaluation) weight(c *chunk) int64 {
	return int64(min(len(c.lines), a.most))
}

// next returns the next evaluated chunk, or io.EOF.
func (a *aheadEvaluation) next(ctx context.Context) (*chunk, error) {
	var c *chunk
	more := false
	select {
	case c, more = <-a.ordered:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if !more {
		// The channel is closed after ctx was cancelled, too.
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if p, ok := errors.AsType[*panics.Error](c.err); ok {
		panic(p) // the run that builds the profiles catches it
	}
	if c.err != nil {
		return nil, c.err
	}
	a.room.Release(a.weight(c))
	return c, nil
}

// stop ends the goroutines, and waits for them.
func (a *aheadEvaluation) stop() {
	a.cancel()
	a.group.Wait()
}
