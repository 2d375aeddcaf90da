package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
)

// Question is a request to a warehouse, beside those of runs, that a worker process answers.
// One field is set. Its JSON has secrets in clear: it is for the pipe to the process only.
type Question struct {
	Catalog    *CatalogQuestion    `json:"catalog,omitempty"`
	DryRun     *DryRunQuestion     `json:"dry_run,omitempty"`
	Connection *ConnectionQuestion `json:"connection,omitempty"`
	Source     *SourceQuestion     `json:"source,omitempty"`
}

// Kind names the question, for a log.
func (q Question) Kind() string {
	switch {
	case q.Catalog != nil:
		return "catalog"
	case q.DryRun != nil:
		return "dry run"
	case q.Source != nil:
		return "source"
	}
	return "connection"
}

// CatalogQuestion asks for a level of a catalog, through an authorization of the store, or
// through the connection of the query.
type CatalogQuestion struct {
	Stored          bool              `json:"stored,omitempty"`
	AuthorizationID string            `json:"authorization_id,omitempty"`
	Query           jobs.CatalogQuery `json:"query"`
}

// DryRunQuestion asks for the dry run of a job of the store, or of a definition.
type DryRunQuestion struct {
	JobID      string           `json:"job_id,omitempty"`
	Definition *jobs.JobSpec    `json:"definition,omitempty"`
	Connection *pipedConnection `json:"connection,omitempty"`
	Samples    int              `json:"samples,omitempty"`
}

// SourceQuestion asks whether the catalog shows that a definition cannot work.
type SourceQuestion struct {
	Definition jobs.JobSpec `json:"definition"`
	// Written tells that a run of the store has written the table of the export.
	Written bool `json:"written,omitempty"`
}

// ConnectionQuestion asks whether a session can be opened on a warehouse.
type ConnectionQuestion struct {
	ID            string                 `json:"id"`
	Spec          jobs.AuthorizationSpec `json:"spec"`
	PredatesLists bool                   `json:"predates_lists,omitempty"`
	// Secret is the credential that is to be stored; nil for one that the definition
	// refers to.
	Secret *pipedSecret `json:"secret,omitempty"`
}

// Answer is the answer to a Question; one field is set, or none if there is nothing to say.
type Answer struct {
	Catalog *jobs.CatalogListing `json:"catalog,omitempty"`
	DryRun  *jobs.DryRun         `json:"dry_run,omitempty"`
	Error   *WorkError           `json:"error,omitempty"`
}

// MaxAnswer bounds an answer in bytes of JSON: about 100,000 tables, or a hundred sample
// rows of 150 kilobytes each.
const MaxAnswer = 16 << 20

// AnswerTooLarge is the answer in place of one that is larger than MaxAnswer.
func AnswerTooLarge(bytes int) Answer {
	return Answer{Error: NewWorkError(&jobs.Error{
		Code: jobs.CodeFailed, Summary: fmt.Sprintf("The answer to this request has %d MB, and a runner gives up to %d MB", bytes>>20, MaxAnswer>>20),
		Detail: "It has too many entries, or rows with very long values.",
		Next:   "Ask for a part of it: a pattern for a list, fewer samples for a dry run",
	})}
}

// DefaultAnswerWithin bounds the time of a question. It is less than the 15 minutes after
// which a client gives up, so that the client receives the reason. A stopped warehouse starts
// within startTimeout.
const DefaultAnswerWithin = 14 * time.Minute

// pipedSecret is a credential on its way through the pipe to a worker process: JSON has its
// text, and every other form of it is a marker.
type pipedSecret struct{ jobs.Secret }

// MarshalText implements encoding.TextMarshaler for the pipe.
func (s pipedSecret) MarshalText() ([]byte, error) { return []byte(s.Reveal()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *pipedSecret) UnmarshalText(text []byte) error {
	s.Secret = jobs.NewSecret(string(text))
	return nil
}

func piped(s *jobs.Secret) *pipedSecret {
	if s == nil {
		return nil
	}
	return &pipedSecret{*s}
}

// secret is the credential; nil for none.
func (s *pipedSecret) secret() *jobs.Secret {
	if s == nil {
		return nil
	}
	return &s.Secret
}

// pipedConnection is a connection that is not saved, with its credential.
type pipedConnection struct {
	Spec         jobs.AuthorizationSpec `json:"spec"`
	Token        *pipedSecret           `json:"token,omitempty"`
	ClientSecret *pipedSecret           `json:"client_secret,omitempty"`
}

func pipedConnectionOf(c *jobs.AuthorizationChange) *pipedConnection {
	if c == nil {
		return nil
	}
	return &pipedConnection{Spec: c.AuthorizationSpec, Token: piped(c.Token), ClientSecret: piped(c.ClientSecret)}
}

// change is the connection as a caller of the engine gives it; nil for none.
func (c *pipedConnection) change() *jobs.AuthorizationChange {
	if c == nil {
		return nil
	}
	return &jobs.AuthorizationChange{AuthorizationSpec: c.Spec, Token: c.Token.secret(), ClientSecret: c.ClientSecret.secret()}
}

// asksWorkers reports whether worker processes decode what warehouses answer to requests.
func (e *Engine) asksWorkers() bool { return e.options.Workers != nil }

// ask has a worker process answer a question about the workspace that via leads to.
func (e *Engine) ask(ctx context.Context, via connector, q Question) (Answer, error) {
	bounded, cancel := context.WithTimeout(ctx, e.options.AnswerWithin)
	defer cancel()
	at := via.row.Destination()
	a, err := e.options.Workers.Ask(bounded, net.JoinHostPort(at.Host, strconv.Itoa(at.Port)), q)
	switch {
	case err == nil && a.Error == nil:
		return a, nil
	case ctx.Err() != nil:
		return Answer{}, context.Cause(ctx)
	case bounded.Err() != nil:
		return Answer{}, &jobs.Error{
			Code: jobs.CodeTimeout, Attribute: "host",
			Summary: fmt.Sprintf("%s did not answer within %s", at.Host, e.options.AnswerWithin),
			Detail:  "The runner asked the workspace in a worker process, or waited for one that is free, and gave up.",
			Next:    "Check that the warehouse is running and how busy it is, and ask again",
			Err:     errors.Join(errUnanswered, context.DeadlineExceeded),
		}
	case err == nil:
		return Answer{}, a.Error
	}
	if lost, ok := errors.AsType[*WorkerLost](err); ok {
		return Answer{}, e.lostAtQuestion(ctx, via, lost)
	}
	return Answer{}, &jobs.Error{
		Code: jobs.CodeFailed, Summary: "The runner could not ask the workspace in a worker process", Detail: redact.Text(err.Error()) + ".",
		Next: "The machine may be out of memory or of processes: try again, and read the runner's log", Err: errors.Join(errUnanswered, err),
	}
}

// errUnanswered is in the error of a question that no worker process answered.
var errUnanswered = errors.New("no worker process answered")

// lostAtQuestion is the error of a question whose worker process ended before it answered.
func (e *Engine) lostAtQuestion(ctx context.Context, via connector, lost *WorkerLost) error {
	// A dying process may print the credential. The redactor of this process knows it
	// once it was opened here.
	if via.secret == nil {
		token, _ := e.token(ctx, via.row) // without a token there is none to hide
		defer runtime.KeepAlive(token)
	}
	detail := fmt.Sprintf("It was process %d (%s)", lost.PID, lost.How)
	if len(lost.Output) > 0 {
		detail += ": " + redact.Text(lost.Output[0])
	}
	return &jobs.Error{
		Code: jobs.CodeFailed, Summary: "The worker process that asked the workspace ended before it had the answer",
		Detail: detail + ".",
		Next: "The cause may be a malformed answer of the workspace, or an answer that needs more memory than worker_memory_mb. " +
			"The runner and its runs go on. Try again",
	}
}
