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

// Pair executes every statement on two engines and reports how they compare.
// Clients see the answers of the first one. A statement that was cancelled, or
// whose result was not read to its end, is not compared.
type Pair struct {
	first, second warehouse.Engine
	report        func(Finding)
}

// Finding is a statement that both engines of a pair answered. What says how
// they differ; it is empty if they do not.
type Finding struct {
	Statement  string                `json:"statement"`
	Parameters []warehouse.Parameter `json:"parameters,omitempty"`
	What       string                `json:"what,omitempty"`
	// Differing are the columns that differ, where nothing but values does.
	Differing []string `json:"differing,omitempty"`
	First     string   `json:"first,omitempty"`
	Second    string   `json:"second,omitempty"`
}

// NewPair makes one engine of two. report is called for each statement that both
// answered, never twice at once.
func NewPair(first, second warehouse.Engine, report func(Finding)) *Pair {
	var mu sync.Mutex
	return &Pair{first: first, second: second, report: func(f Finding) {
		mu.Lock()
		defer mu.Unlock()
		report(f)
	}}
}

// OpenSession opens a session on both.
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

// Close closes both.
func (p *Pair) Close() error { return errors.Join(p.first.Close(), p.second.Close()) }

type pairSession struct {
	warehouse.Session
	second warehouse.Session
	pair   *Pair
}

// Close closes both sessions.
func (s *pairSession) Close() error { return errors.Join(s.Session.Close(), s.second.Close()) }

// Execute runs a statement on both, one after the other.
func (s *pairSession) Execute(ctx context.Context, statement string, params []warehouse.Parameter) (warehouse.Result, error) {
	r, err := s.Session.Execute(ctx, statement, params)
	// What is no answer of the engine's, such as its loss, says nothing about it.
	if ctx.Err() != nil || err != nil && !answered(err) {
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
		out.first.Columns = append(out.first.Columns, column(c))
	}
	return out, nil
}

// pairResult is the first engine's result, compared when it has been read.
type pairResult struct {
	warehouse.Result
	pair          *Pair
	first, second Outcome
	statement     string
	params        []warehouse.Parameter
}

// Next passes the first engine's rows on.
func (r *pairResult) Next(ctx context.Context) (arrow.RecordBatch, error) {
	batch, err := r.Result.Next(ctx)
	switch {
	case errors.Is(err, io.EOF):
		r.compare()
	case err != nil:
		if ctx.Err() == nil && answered(err) {
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
	f := Finding{Statement: r.statement, Parameters: r.params, What: RulesOf(r.statement).Difference(&r.first, &r.second)}
	if f.What != "" {
		f.First, f.Second, f.Differing = r.first.String(), r.second.String(), Differing(&r.first, &r.second)
	}
	r.pair.report(f)
}

// answered reports whether an error is what an engine makes of a statement.
func answered(err error) bool {
	var shaped *warehouse.Error
	return errors.As(err, &shaped)
}
