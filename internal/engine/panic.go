package engine

import (
	"context"
	"errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// guardedWork is work. A panic of it ends this run only: its message and its stack are
// in the run's log. An error that says which answer a package panicked at stays as it is.
func (x *execution) guardedWork(ctx context.Context) error {
	err := panics.Catch(func() error { return x.work(ctx) })
	p, ok := errors.AsType[*panics.Error](err)
	if !ok {
		return err
	}
	x.addLogLine(store.LogError, p.Error())
	for _, frame := range p.Frames {
		x.addLogLine(store.LogError, "  at "+frame)
	}
	if _, explained := errors.AsType[*jobs.Error](err); explained {
		return err
	}
	return &jobs.Error{
		Code: jobs.CodeFailed, Summary: "The run ended with a panic: a malformed answer, or a mistake in " +
			"this program", Detail: redact.Text(p.Error()) + ".",
		Next: "Run the job again: it continues where this run stopped. If it ends so again, report the stack in the run's log.", Err: err,
	}
}
