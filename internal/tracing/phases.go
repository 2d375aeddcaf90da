package tracing

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/trace"
)

// Phases are the spans of a run's phases, one after the other.
type Phases struct {
	run context.Context

	mu      sync.Mutex
	name    string
	current trace.Span
}

type phasesKey struct{}

// NewPhases returns the phases below the span of a context, and the context whose spans
// belong to the phase in which they begin.
func NewPhases(ctx context.Context) (context.Context, *Phases) {
	p := &Phases{run: ctx}
	return context.WithValue(ctx, phasesKey{}, p), p
}

// Begin ends the current phase and begins another one. The same name, and none, begin
// nothing.
func (p *Phases) Begin(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name == p.name || name == "" {
		return
	}
	if p.current != nil {
		p.current.End()
	}
	p.name = name
	_, p.current = tracer().Start(p.run, name)
}

// End ends the last phase, with the error of the run.
func (p *Phases) End(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		end(p.current, err, nil)
		p.current = nil
	}
}

// below returns a context in which the current phase is the parent of new spans, unless
// the context already has a span below the run's.
func (p *Phases) below(ctx context.Context) context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil || trace.SpanContextFromContext(ctx).SpanID() != trace.SpanContextFromContext(p.run).SpanID() {
		return ctx
	}
	return trace.ContextWithSpan(ctx, p.current)
}
