package front

import (
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
)

// Statement is the journal's entry of a statement or metadata call.
type Statement struct {
	// ID is the operation's id; empty for a rejected call.
	ID      string `json:"id,omitempty"`
	Session string `json:"session,omitempty"`
	// Tags are the session's query tags.
	Tags string `json:"query_tags,omitempty"`
	// Operation is EXECUTE_STATEMENT, GET_TABLES and so on, or the name of a call
	// that a fault rejected.
	Operation string     `json:"operation"`
	Text      string     `json:"text,omitempty"`
	Started   time.Time  `json:"started"`
	Finished  *time.Time `json:"finished,omitempty"`
	// Outcome is RUNNING, FINISHED, ERROR, CANCELED, TIMEDOUT, CLOSED or REJECTED.
	Outcome string `json:"outcome"`
	Error   string `json:"error,omitempty"`
	// HTTPStatus is the status of a call that was answered with an HTTP error.
	HTTPStatus int `json:"http_status,omitempty"`
	// RowsDelivered is how many rows the client has fetched.
	RowsDelivered int64 `json:"rows_delivered"`
	// RowsScanned is how many rows of tables the statement read; nil unless the
	// engine counts them (-profile).
	RowsScanned *int64 `json:"rows_scanned,omitempty"`
}

// journalSize is how many statements the journal keeps; dropped counts the rest.
const journalSize = 20_000

// journal keeps the statements received, so that tests can check them.
type journal struct {
	mu      sync.Mutex
	entries []*entry
	dropped int
}

type entry struct {
	journal *journal
	Statement
}

func (j *journal) add(s Statement) *entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := &entry{journal: j, Statement: s}
	if j.entries = append(j.entries, e); len(j.entries) > journalSize {
		j.entries, j.dropped = j.entries[1:], j.dropped+1
	}
	return e
}

func (j *journal) addOperation(op *operation) *entry {
	return j.add(Statement{
		ID: op.id.String(), Session: op.session.id.String(), Tags: op.session.tags, Operation: op.kind.String(),
		Text: op.text, Started: op.started, Outcome: "RUNNING",
	})
}

func (j *journal) addRejected(call, text string, sess *session, status int) {
	now := time.Now()
	s := Statement{Operation: call, Text: text, Started: now, Finished: &now, Outcome: "REJECTED", HTTPStatus: status}
	if sess != nil {
		s.Session = sess.id.String()
	}
	j.add(s)
}

func (j *journal) list() (statements []Statement, dropped int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	statements = make([]Statement, len(j.entries))
	for i, e := range j.entries {
		statements[i] = e.Statement
	}
	return statements, j.dropped
}

func (j *journal) clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries, j.dropped = nil, 0
}

var outcomes = map[tcli.TOperationState]string{
	tcli.TOperationState_FINISHED_STATE: "FINISHED",
	tcli.TOperationState_ERROR_STATE:    "ERROR",
	tcli.TOperationState_CANCELED_STATE: "CANCELED",
	tcli.TOperationState_TIMEDOUT_STATE: "TIMEDOUT",
	tcli.TOperationState_CLOSED_STATE:   "CLOSED",
}

func (e *entry) finish(state tcli.TOperationState, f *failure) {
	e.journal.mu.Lock()
	defer e.journal.mu.Unlock()
	now := time.Now()
	e.Finished, e.Outcome = &now, outcomes[state]
	if f != nil {
		e.Error = f.message
	}
}

func (e *entry) setDelivered(rows int64) {
	e.journal.mu.Lock()
	defer e.journal.mu.Unlock()
	e.RowsDelivered = rows
}

func (e *entry) setScanned(rows int64) {
	e.journal.mu.Lock()
	defer e.journal.mu.Unlock()
	e.RowsScanned = &rows
}
