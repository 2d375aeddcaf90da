package differential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Pair executes every statement on two engines and reports how their answers compare.
// Clients get the answers of the first engine. A statement that was cancelled, or whose
// result was not read to its end, is not compared.
type Pair struct {
	first, second warehouse.Engine
	report        func(Finding)
}

// Finding compares the answers to a statement. Difference is empty if they are alike.
type Finding struct {
	Statement  string                `json:"statement"`
	Parameters []warehouse.Parameter `json:"parameters,omitempty"`
	Difference string                `json:"difference,omitempty"`
	// Differing are the differing columns, if the answers differ only in values.
	Differing []string `json:"differing,omitempty"`
	First     string   `json:"first,omitempty"`
	Second    string   `json:"second,omitempty"`
}

// NewPair returns an engine of two engines. report is called, by one goroutine at a time,
// for each statement that both engines answered.
func NewPair(first, second warehouse.Engine, report func(Finding)) *Pair {
	var mu sync.Mutex
	return &Pair{first: first, second: second, report: func(f Finding) {
		mu.Lock()
		defer mu.Unlock()
		report(f)
	}}
}

// OpenSession opens a session on both engines.
func (p *Pair) OpenSession(ctx context.Context, o warehouse.SessionOptions) (warehouse.Session, error) {
	first, err := p.first.OpenSession(ctx, o)
	if err != nil {
		return nil, err
	}
	second, err := p.second.OpenSession(ctx, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the second engine: %w", err), first.Close())
	}
	return &pairSession{Session: first, second: second, pair: p}, nil
}

// Close closes both engines.
func (p *Pair) Close() error { return errors.Join(p.first.Close(), p.second.Close()) }

type pairSession struct {
	warehouse.Session
	second warehouse.Session
	pair   *Pair
}

// Close closes both sessions.
func (s *pairSession) Close() error { return errors.Join(s.Session.Close(), s.second.Close()) }

// Execute executes a statement on both engines, one after the other.
func (s *pairSession) Execute(ctx context.Context, statement string, params []warehouse.Parameter) (warehouse.Result, error) {
	r, err := s.Session.Execute(ctx, statement, params)
	// An error that is not the engine's answer, such as a lost engine, is not compared.
	if ctx.Err() != nil || err != nil && !isEngineAnswer(err) {
		return r, err
	}
	second := Run(ctx, s.second, statement, params)
	out := &pairResult{Result: r, pair: s.pair, second: second, statement: statement, params: params}
	if err != nil {
		out.first.fail(err)
		out.compare()
		return nil, err
	}
	for _, c := range r.Columns() {
		out.first.Columns = append(out.first.Columns, nameAndType(c))
	}
	return out, nil
}

// pairResult is the first engine's result. It is compared when it has been read.
type pairResult struct {
	warehouse.Result
	pair          *Pair
	first, second Outcome
	statement     string
	params        []warehouse.Parameter
}

// Next returns the first engine's rows.
func (r *pairResult) Next(ctx context.Context) (arrow.RecordBatch, error) {
	batch, err := r.Result.Next(ctx)
	switch {
	case errors.Is(err, io.EOF):
		r.compare()
	case err != nil:
		if ctx.Err() == nil && isEngineAnswer(err) {
			r.first.fail(err)
			r.compare()
		}
	default:
		if err := r.first.add(batch); err != nil {
			batch.Release()
			return nil, err
		}
	}
	return batch, err
}

func (r *pairResult) compare() {
	f := Finding{Statement: r.statement, Parameters: r.params, Difference: RulesOf(r.statement).Difference(&r.first, &r.second)}
	if f.Difference != "" {
		f.First, f.Second, f.Differing = r.first.String(), r.second.String(), DifferingColumns(&r.first, &r.second)
	}
	r.pair.report(f)
}

// isEngineAnswer reports whether an error is an engine's answer to a statement.
func isEngineAnswer(err error) bool {
	var shaped *warehouse.Error
	return errors.As(err, &shaped)
}
