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

// operation is a statement or a metadata call, from its request until it is closed.
type operation struct {
	id      guid
	kind    tcli.TOperationType
	text    string
	session *session
	started time.Time
	// run executes the operation on the engine.
	run func(context.Context) (warehouse.Result, error)
	// startDelay is how long the operation waits for the starting warehouse.
	startDelay time.Duration
	request    resultRequest
	log        *entry

	ctx    context.Context
	cancel context.CancelCauseFunc
	// done is closed when the state is final.
	done chan struct{}

	mu       sync.Mutex
	state    tcli.TOperationState
	failure  *failure
	finished time.Time
	modified *int64

	// fetching guards the result. One page is made at a time.
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
	op.log = s.journal.addOperation(op)
	s.sessions.addOperation(op)
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
			f = asFailure(s.reportPanic(op.text, p))
		}
	}()
	if op.startDelay > 0 {
		select {
		case <-time.After(op.startDelay):
		case <-op.ctx.Done():
			return asFailure(context.Cause(op.ctx))
		}
	}
	select {
	case op.session.executing <- struct{}{}:
	case <-op.ctx.Done():
		return asFailure(context.Cause(op.ctx))
	}
	defer func() { <-op.session.executing }()
	op.mu.Lock()
	if op.state == tcli.TOperationState_PENDING_STATE {
		op.state = tcli.TOperationState_RUNNING_STATE
	}
	op.mu.Unlock()
	if limit := op.session.currentTimeout(); limit > 0 {
		timer := time.AfterFunc(limit, func() { op.abort(tcli.TOperationState_TIMEDOUT_STATE, timeoutFailure(limit)) })
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

// publish makes the result available to fetches. It first reads the beginning of
// the result: an error there fails the statement, and its size decides the format.
func (op *operation) publish(s *Server, result warehouse.Result) error {
	r := &rowReader{result: result, limit: op.request.rowLimit}
	encoder, err := s.chooseFormat(op, r)
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

// finish sets the final state, unless the operation has one already.
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

// abort ends an operation that is still running. Clients see its state at once;
// the engine may take longer to stop.
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
	// This also stops a running fetch, which holds the lock taken below.
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
	op.log.setDelivered(op.pages.delivered)
	op.pages.release()
	err := op.result.Close()
	if p, ok := op.result.(warehouse.Profiled); ok {
		if rows, known := p.RowsScanned(); known {
			op.log.setScanned(rows)
		}
	}
	return err
}

// wait returns when the operation is over, the limit is reached or ctx is done.
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

// affectedRows returns the count that INSERT, UPDATE, DELETE and MERGE return as
// their result.
func (r *rowReader) affectedRows() (int64, bool) {
	columns := r.result.Columns()
	if len(columns) == 0 || columns[0].Name != "num_affected_rows" || len(r.buffered) == 0 || r.buffered[0].NumRows() != 1 {
		return 0, false
	}
	counts, ok := r.buffered[0].Column(0).(*array.Int64)
	if !ok {
		return 0, false
	}
	return counts.Value(0), true
}
