package differential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/record"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Pair executes every statement on two engines and reports where they differ.
// Clients see the answers of the first one.
type Pair struct {
	first, second warehouse.Engine
	report        func(Finding)
}

// Finding is a statement that the engines of a pair answer differently.
type Finding struct {
	Statement  string                `json:"statement"`
	Parameters []warehouse.Parameter `json:"parameters,omitempty"`
	What       string                `json:"what"`
	First      string                `json:"first"`
	Second     string                `json:"second"`
}

// NewPair makes one engine of two. report is called for each difference, never
// twice at once.
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
	if ctx.Err() != nil {
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
		if ctx.Err() == nil {
			r.first.fail(err)
			r.compare()
		}
	default:
		if err := r.first.Digest.Add(batch); err != nil {
			batch.Release()
			return nil, err
		}
		for i := 0; i < int(batch.NumRows()) && len(r.first.Rows) < keptRows; i++ {
			text, err := record.Row(batch, i)
			if err != nil {
				batch.Release()
				return nil, err
			}
			r.first.Rows = append(r.first.Rows, text)
		}
	}
	return batch, err
}

func (r *pairResult) compare() {
	if what := RulesOf(r.statement).Difference(&r.first, &r.second); what != "" {
		r.pair.report(Finding{Statement: r.statement, Parameters: r.params, What: what, First: r.first.String(), Second: r.second.String()})
	}
}
