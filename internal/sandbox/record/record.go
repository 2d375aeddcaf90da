// Package record writes every statement that an engine executes to a file, with
// its outcome and digests of its result.
package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Entry is one line of a recording.
type Entry struct {
	// Session is the number of the session, from 1.
	Session    int64                 `json:"session"`
	Statement  string                `json:"statement"`
	Parameters []warehouse.Parameter `json:"parameters,omitempty"`
	Started    time.Time             `json:"started"`
	Seconds    float64               `json:"seconds"`
	Columns    []string              `json:"columns,omitempty"`
	// Rows is the number of rows read. A client may stop before the end.
	Rows     int64 `json:"rows"`
	Complete bool  `json:"complete"`
	// Ordered is a digest of the rows in their order; Unordered does not depend on
	// the order.
	Ordered   string `json:"ordered,omitempty"`
	Unordered string `json:"unordered,omitempty"`
	Class     string `json:"class,omitempty"`
	SQLState  string `json:"sql_state,omitempty"`
	Error     string `json:"error,omitempty"`
}

// Engine passes statements to another engine and records them.
type Engine struct {
	warehouse.Engine
	sessions atomic.Int64

	mu   sync.Mutex
	file *os.File
	err  error
}

// Open returns an engine that appends to the file at path, one JSON object a
// line. Statements are written verbatim, with their credentials, so only the
// file's owner can read it.
func Open(engine warehouse.Engine, path string) (*Engine, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the recording of statements: %w", err)
	}
	return &Engine{Engine: engine, file: file}, nil
}

// OpenSession starts a session whose statements are recorded.
func (e *Engine) OpenSession(ctx context.Context, o warehouse.SessionOptions) (warehouse.Session, error) {
	s, err := e.Engine.OpenSession(ctx, o)
	if err != nil {
		return nil, err
	}
	return &session{Session: s, engine: e, number: e.sessions.Add(1)}, nil
}

// Close closes the engine and the recording, and returns an error if the file is incomplete.
func (e *Engine) Close() error {
	err := e.Engine.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	return errors.Join(err, e.err, e.file.Close())
}

func (e *Engine) write(entry *Entry) {
	line, err := json.Marshal(entry)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		_, err = e.file.Write(append(line, '\n'))
	}
	if err != nil {
		e.err = errors.Join(e.err, fmt.Errorf("record a statement: %w", err))
	}
}

type session struct {
	warehouse.Session
	engine *Engine
	number int64
}

// Execute executes a statement. Its entry is written when the result is closed.
func (s *session) Execute(ctx context.Context, statement string, params []warehouse.Parameter) (warehouse.Result, error) {
	entry := &Entry{Session: s.number, Statement: statement, Parameters: params, Started: time.Now().UTC()}
	r, err := s.Session.Execute(ctx, statement, params)
	if err != nil {
		entry.fail(err)
		entry.Seconds = time.Since(entry.Started).Seconds()
		s.engine.write(entry)
		return nil, err
	}
	for _, c := range r.Columns() {
		entry.Columns = append(entry.Columns, c.Name+" "+c.Type)
	}
	return &result{Result: r, engine: s.engine, entry: entry}, nil
}

func (e *Entry) fail(err error) {
	e.Error = err.Error()
	if shaped := (*warehouse.Error)(nil); errors.As(err, &shaped) {
		e.Class, e.SQLState = shaped.Class, shaped.SQLState
	}
}

type result struct {
	warehouse.Result
	engine *Engine
	entry  *Entry
	digest Digest
	closed bool
}

// Next returns the next batch, and adds it to the digest.
func (r *result) Next(ctx context.Context) (arrow.RecordBatch, error) {
	batch, err := r.Result.Next(ctx)
	switch {
	case errors.Is(err, io.EOF):
		r.entry.Complete = true
	case err != nil:
		r.entry.fail(err)
	default:
		if err := r.digest.Add(batch); err != nil {
			batch.Release()
			return nil, err
		}
	}
	return batch, err
}

// Close writes the entry.
func (r *result) Close() error {
	if !r.closed {
		r.closed = true
		r.entry.Rows, r.entry.Ordered, r.entry.Unordered = r.digest.Rows(), r.digest.Ordered(), r.digest.Unordered()
		r.entry.Seconds = time.Since(r.entry.Started).Seconds()
		r.engine.write(r.entry)
	}
	return r.Result.Close()
}
