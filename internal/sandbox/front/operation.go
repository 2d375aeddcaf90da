package front

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// operation is a statement or a metadata call, from its request until its close.
type operation struct {
	id      guid
	kind    tcli.TOperationType
	text    string
	session *session
	started time.Time
	// run executes it on the engine.
	run func(context.Context) (warehouse.Result, error)
	// hold is how long it waits for a warehouse that is starting.
	hold time.Duration
	want wanted
	log  *entry

	ctx    context.Context
	cancel context.CancelCauseFunc
	// done is closed when the state is final.
	done chan struct{}

	mu       sync.Mutex
	state    tcli.TOperationState
	failure  *failure
	finished time.Time
	modified *int64

	// fetching guards the result: one page is made at a time.
	fetching sync.Mutex
	result   warehouse.Result
	pages    *pages
	closed   bool
}

// start executes op in the background.
func (s *Server) start(op *operation) {
	op.id, op.started, op.done = newGUID(), time.Now(), make(chan struct{})
	op.state = tcli.TOperationState_PENDING_STATE
	op.ctx, op.cancel = context.WithCancelCause(op.session.ctx)
	op.log = s.journal.begin(op)
	s.sessions.keep(op)
	go func() {
		failure := s.execute(op)
		if failure != nil {
			op.finish(tcli.TOperationState_ERROR_STATE, failure)
		} else {
			op.finish(tcli.TOperationState_FINISHED_STATE, nil)
		}
	}()
}

func (s *Server) execute(op *operation) (f *failure) {
	defer func() {
		if p := recover(); p != nil {
			f = asFailure(s.bug(op.text, p))
		}
	}()
	if op.hold > 0 {
		select {
		case <-time.After(op.hold):
		case <-op.ctx.Done():
			return asFailure(context.Cause(op.ctx))
		}
	}
	select {
	case op.session.turn <- struct{}{}:
	case <-op.ctx.Done():
		return asFailure(context.Cause(op.ctx))
	}
	defer func() { <-op.session.turn }()
	op.mu.Lock()
	if op.state == tcli.TOperationState_PENDING_STATE {
		op.state = tcli.TOperationState_RUNNING_STATE
	}
	op.mu.Unlock()
	if limit := op.session.currentTimeout(); limit > 0 {
		timer := time.AfterFunc(limit, func() { op.abort(tcli.TOperationState_TIMEDOUT_STATE, timedOut(limit)) })
		defer timer.Stop()
	}
	result, err := op.run(op.ctx)
	if err != nil {
		return asFailure(err)
	}
	if err := op.publish(s, result); err != nil {
		return asFailure(errors.Join(err, result.Close()))
	}
	if op.kind == tcli.TOperationType_EXECUTE_STATEMENT {
		if err := op.session.statementExecuted(op.text); err != nil {
			return asFailure(err)
		}
	}
	return nil
}

// publish reads the beginning of a result, so that an error in it is the
// statement's and the form of the result is known, and offers it to fetches.
func (op *operation) publish(s *Server, result warehouse.Result) error {
	r := &reader{result: result, limit: op.want.rowLimit}
	encoder, err := s.choose(op, r)
	if err != nil {
		return err
	}
	op.fetching.Lock()
	defer op.fetching.Unlock()
	if op.closed {
		return errClosed
	}
	op.result = result
	op.pages = &pages{reader: r, encoder: encoder, links: s.links, faults: s.options.Faults, text: op.text}
	if n, ok := r.affectedRows(); ok {
		op.mu.Lock()
		op.modified = &n
		op.mu.Unlock()
	}
	return nil
}

// finish makes a state final; the first one stays.
func (op *operation) finish(state tcli.TOperationState, f *failure) {
	op.mu.Lock()
	defer op.mu.Unlock()
	select {
	case <-op.done:
		return
	default:
	}
	op.state, op.failure, op.finished = state, f, time.Now()
	op.log.finish(state, f)
	close(op.done)
}

// abort ends an operation that is not over. Clients see it at once, even while
// the engine still winds up.
func (op *operation) abort(state tcli.TOperationState, f *failure) {
	op.finish(state, f)
	if f := op.err(); f != nil {
		op.cancel(f)
	}
}

func (op *operation) err() *failure {
	op.mu.Lock()
	defer op.mu.Unlock()
	return op.failure
}

func (op *operation) close() error {
	op.finish(tcli.TOperationState_CLOSED_STATE, errClosed)
	// This also stops a fetch that is under way, which holds the lock below.
	op.cancel(errClosed)
	op.fetching.Lock()
	defer op.fetching.Unlock()
	if op.closed {
		return nil
	}
	op.closed = true
	if op.pages == nil {
		return nil
	}
	op.log.delivered(op.pages.delivered)
	op.pages.release()
	err := op.result.Close()
	if p, ok := op.result.(warehouse.Profiled); ok {
		if rows, known := p.RowsScanned(); known {
			op.log.scanned(rows)
		}
	}
	return err
}

// wait returns when the operation is over, the time is up or the client left.
func (op *operation) wait(ctx context.Context, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-op.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (op *operation) over() bool {
	select {
	case <-op.done:
		return true
	default:
		return false
	}
}

func (op *operation) handle() *tcli.TOperationHandle {
	return &tcli.TOperationHandle{OperationId: op.id.handle(), OperationType: op.kind, HasResultSet: true}
}

func (op *operation) status() *tcli.TGetOperationStatusResp {
	op.mu.Lock()
	defer op.mu.Unlock()
	state, hasResult, started := op.state, true, op.started.UnixMilli()
	out := &tcli.TGetOperationStatusResp{
		Status: success(), OperationState: &state, HasResultSet: &hasResult,
		OperationStarted: &started, NumModifiedRows: op.modified,
	}
	if !op.finished.IsZero() {
		completed := op.finished.UnixMilli()
		out.OperationCompleted = &completed
	}
	if f := op.failure; f != nil {
		code := int32(0)
		out.SqlState, out.ErrorCode = &f.sqlState, &code
		out.ErrorMessage, out.DisplayMessage, out.DiagnosticInfo = &f.message, &f.message, &f.message
	}
	return out
}

// affectedRows reads the count that data manipulation returns as its result.
func (r *reader) affectedRows() (int64, bool) {
	columns := r.result.Columns()
	if len(columns) == 0 || columns[0].Name != "num_affected_rows" || len(r.ahead) == 0 || r.ahead[0].NumRows() != 1 {
		return 0, false
	}
	counts, ok := r.ahead[0].Column(0).(*array.Int64)
	if !ok {
		return 0, false
	}
	return counts.Value(0), true
}
