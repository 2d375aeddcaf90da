package databricks

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/databricks/databricks-sql-go/driverctx"
)

// call is the state of one statement, or of opening a session, that the transport and the
// caller share. It is a context value, because the driver passes context values to the
// transport, but not cancellation.
type call struct {
	// ctx is the caller's context, and ends also when the statement's deadline passes.
	ctx context.Context
	// deadline ends ctx; its zero value never does.
	deadline deadline
	// idempotent means that executing the statement twice has the effect of executing it
	// once.
	idempotent bool
	// reads means that the caller reads a result.
	reads bool

	// executed is closed when the driver knows the statement's id, or that there will
	// be none. After that, a cancel reaches the statement.
	executed     chan struct{}
	executedOnce sync.Once
	// sent is called once with the statement's id.
	sent func(statementID string)
	told sync.Once

	mu       sync.Mutex
	failure  *failure
	queryID  string
	received int64 // rows in all pages so far
	pages    bool
	last     bool // the last page has arrived
	shape    resultShape

	// passThrough makes the transport remove Arrow batches from the driver's pages.
	passThrough bool
	passed      passedParts
	// lz4 means that the statement was sent with an offer to read LZ4. inflateLimit is the
	// largest size in bytes of what a page or a file inflates to.
	lz4          bool
	inflateLimit int64
}

type callKey struct{}

func newCall(ctx context.Context, idempotent bool) *call {
	return &call{ctx: ctx, idempotent: idempotent, executed: make(chan struct{}), shape: resultShape{columns: -1}}
}

// context returns the context for the driver. It has the caller's values and this call,
// and only the returned function cancels it.
func (c *call) context() (context.Context, context.CancelFunc) {
	ctx := driverctx.NewContextWithQueryIdCallback(context.WithoutCancel(c.ctx), func(id string) {
		if id == "" {
			return
		}
		c.markExecuted()
		if c.sent != nil {
			c.told.Do(func() { c.sent(id) })
		}
	})
	return context.WithCancel(context.WithValue(ctx, callKey{}, c))
}

func callFrom(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

func (c *call) markExecuted() { c.executedOnce.Do(func() { close(c.executed) }) }

// record records the contents of a reply.
func (c *call) record(method string, r reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(r.guid) == 16 {
		h := hex.EncodeToString(r.guid)
		c.queryID = fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
	}
	if r.page != nil {
		c.pages = true
		c.received = max(c.received, r.page.start+r.page.rows)
		// A page that is read again (FETCH_PRIOR) does not change whether the last page
		// has arrived.
		c.last = c.last || !r.page.more
	}
	if r.failure != "" && !isCleanup(method) && c.failure == nil {
		c.failure = &failure{method: method, cause: causeReply, message: r.failure}
	}
}

// recordFailure keeps the first failure.
func (c *call) recordFailure(f *failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure == nil && !isCleanup(f.method) {
		c.failure = f
	}
}

// isCleanup reports whether a method only cleans up after a statement. It is sent once,
// and its failure does not fail the statement.
func isCleanup(method string) bool {
	switch method {
	case "CloseOperation", "CancelOperation", "CloseSession":
		return true
	}
	return false
}

func (c *call) firstFailure() *failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

func (c *call) id() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queryID
}

// checkComplete returns an error if the driver ended the result, after the given number of
// rows, before the end of the warehouse's result.
func (c *call) checkComplete(rows int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.pages:
		return fmt.Errorf("the result ended before its first page arrived")
	case !c.last:
		return fmt.Errorf("the result ended after %d rows, before its last page arrived", rows)
	case rows != c.received:
		return fmt.Errorf("%d rows were read of a result of %d", rows, c.received)
	}
	return nil
}
