package engine

import (
	"context"
	"errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Answer answers a question that another process was asked. It only reads: this process is
// not registered on the store.
func (e *Engine) Answer(ctx context.Context, q Question) Answer {
	var a Answer
	err := panics.Catch(func() (err error) {
		a, err = e.answer(ctx, q)
		return err
	})
	if err == nil {
		return a
	}
	if p, ok := errors.AsType[*panics.Error](err); ok {
		err = panicked(err, p)
	}
	return Answer{Error: NewWorkError(err)}
}

func (e *Engine) answer(ctx context.Context, q Question) (Answer, error) {
	switch {
	case q.Catalog != nil:
		listing, err := e.listCatalog(ctx, *q.Catalog)
		return Answer{Catalog: &listing}, err
	case q.DryRun != nil && q.DryRun.Definition != nil:
		out, err := e.DryRunOf(ctx, jobs.DryRunRequest{
			Definition: *q.DryRun.Definition, Connection: q.DryRun.Connection.change(), Samples: q.DryRun.Samples,
		})
		return Answer{DryRun: &out}, err
	case q.DryRun != nil:
		out, err := e.DryRun(ctx, q.DryRun.JobID, q.DryRun.Samples)
		return Answer{DryRun: &out}, err
	case q.Source != nil:
		db, err := e.open(ctx, readStore)
		if err != nil {
			return Answer{}, err
		}
		row, err := db.Authorization(ctx, q.Source.Definition.AuthorizationID)
		if err != nil {
			return Answer{}, err
		}
		return Answer{}, sourceCheck{spec: q.Source.Definition, via: e.stored(row), written: q.Source.Written}.check(ctx)
	case q.Connection != nil:
		c := q.Connection
		row := store.AuthorizationRow{
			Authorization: jobs.Authorization{ID: c.ID, AuthorizationSpec: c.Spec}, PredatesLists: c.PredatesLists,
		}
		return Answer{}, e.checkConnection(ctx, connector{e: e, row: row, secret: c.Secret.secret()})
	}
	return Answer{}, errors.New("the question asks for nothing")
}

// panicked is the error of a question whose answer ended with a panic. An error that says
// which answer of a workspace a package panicked at stays as it is.
func panicked(err error, p *panics.Error) error {
	if _, explained := errors.AsType[*jobs.Error](err); explained {
		return err
	}
	detail := p.Error()
	if len(p.Frames) > 0 {
		detail += ", at " + p.Frames[0]
	}
	return &jobs.Error{
		Code: jobs.CodeFailed, Summary: "The request ended with a panic: a malformed answer, or a mistake in this program",
		Detail: redact.Text(detail) + ".", Next: "Try again. If it ends so again, report the place that the error names", Err: err,
	}
}

// checkConnection opens a session on a warehouse, and closes it.
func (e *Engine) checkConnection(ctx context.Context, via connector) error {
	if e.asksWorkers() {
		q := ConnectionQuestion{ID: via.row.ID, Spec: via.row.AuthorizationSpec, PredatesLists: via.row.PredatesLists}
		if via.secret == nil && via.row.Sealed != nil {
			// The process cannot read from the store what is not stored yet.
			secret, err := e.token(ctx, via.row)
			if err != nil {
				return err
			}
			via.secret = &secret
		}
		q.Secret = piped(via.secret)
		_, err := e.ask(ctx, via, Question{Connection: &q})
		return err
	}
	wh, err := via.connect(ctx)
	if err != nil {
		return err
	}
	return wh.Close()
}
