package runner

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/terminal"
)

// NewLog returns a structured log that writes text or JSON lines, without secrets
// and without characters that a terminal obeys.
func NewLog(w io.Writer, asJSON bool, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: withoutSecrets}
	if asJSON {
		return slog.New(runHandler{slog.NewJSONHandler(terminal.NewWriter(w), options)})
	}
	return slog.New(runHandler{slog.NewTextHandler(terminal.NewWriter(w), options)})
}

// The attributes of a line that belongs to a run: the ids of the run and of its job.
const (
	runAttribute = "run"
	jobAttribute = "job"
)

// runHandler adds the run that a line's context belongs to.
type runHandler struct{ slog.Handler }

func (h runHandler) Handle(ctx context.Context, r slog.Record) error {
	of, ok := jobs.RunOf(ctx)
	if !ok {
		return h.Handler.Handle(ctx, r)
	}
	given := map[string]bool{}
	r.Attrs(func(a slog.Attr) bool {
		given[a.Key] = true
		return true
	})
	r = r.Clone()
	for _, a := range []slog.Attr{slog.String(runAttribute, of.RunID), slog.String(jobAttribute, of.JobID)} {
		if !given[a.Key] && a.Value.String() != "" {
			r.AddAttrs(a)
		}
	}
	return h.Handler.Handle(ctx, r)
}

func (h runHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return runHandler{h.Handler.WithAttrs(attrs)}
}

func (h runHandler) WithGroup(name string) slog.Handler { return runHandler{h.Handler.WithGroup(name)} }

// withoutSecrets removes secrets from a value of a line, and from its message. It
// keeps values other than texts as they are, unless a secret is in them.
func withoutSecrets(_ []string, a slog.Attr) slog.Attr {
	text := ""
	switch v := a.Value; v.Kind() {
	case slog.KindString:
		text = v.String()
	case slog.KindAny:
		text = fmt.Sprintf("%+v", v.Any())
	default:
		return a
	}
	if clean := redact.Text(text); clean != text {
		a.Value = slog.StringValue(clean)
	}
	return a
}

// quietHandler lowers River's informational messages to debug, because the
// runner itself logs what happens to runs. Messages about a delivery get the run that
// was delivered.
type quietHandler struct {
	slog.Handler
	delivered *deliveries
}

func (h quietHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Handler.Enabled(ctx, lowered(level))
}

func (h quietHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Level = lowered(r.Level)
	if _, ok := jobs.RunOf(ctx); !ok {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == riverJobAttribute && a.Value.Kind() == slog.KindInt64 {
				ctx = h.delivered.with(ctx, a.Value.Int64())
			}
			return a.Key != riverJobAttribute
		})
	}
	return h.Handler.Handle(ctx, r)
}

func (h quietHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quietHandler{h.Handler.WithAttrs(attrs), h.delivered}
}

func (h quietHandler) WithGroup(name string) slog.Handler {
	return quietHandler{h.Handler.WithGroup(name), h.delivered}
}

// riverJobAttribute is the attribute with which River names the entry of its queue.
const riverJobAttribute = "job_id"

// maxDeliveries bounds the deliveries that are remembered for the log.
const maxDeliveries = 1000

// deliveries remembers which run each of the last entries of River's queue delivered.
type deliveries struct {
	mu   sync.Mutex
	runs map[int64]string
	// order has the keys of runs, the oldest one first.
	order []int64
}

func (d *deliveries) add(entry int64, runID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.runs == nil {
		d.runs = map[int64]string{}
	}
	if _, known := d.runs[entry]; !known {
		d.order = append(d.order, entry)
	}
	d.runs[entry] = runID
	if len(d.order) > maxDeliveries {
		delete(d.runs, d.order[0])
		d.order = d.order[1:]
	}
}

// with sets the run that an entry delivered.
func (d *deliveries) with(ctx context.Context, entry int64) context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	run, ok := d.runs[entry]
	if !ok {
		return ctx
	}
	return jobs.WithRun(ctx, jobs.RunRef{RunID: run})
}

func lowered(level slog.Level) slog.Level {
	if level == slog.LevelInfo {
		return slog.LevelDebug
	}
	return level
}
