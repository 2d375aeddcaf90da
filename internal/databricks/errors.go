package databricks

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	dbsqlerr "github.com/databricks/databricks-sql-go/errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
)

var (
	errSessionLost    = errors.New("session lost")
	errOutcomeUnknown = errors.New("outcome unknown")
)

// IsSessionLost reports whether the warehouse no longer knows the session, or the result
// that is being read. Temporary views and tables end with the session. The caller opens a
// new session and resumes from the last checkpoint.
func IsSessionLost(err error) bool { return errors.Is(err, errSessionLost) }

// IsOutcomeUnknown reports whether the response to a statement was lost, so that the
// statement may have taken effect. The caller checks for the effect before it executes the
// statement again.
func IsOutcomeUnknown(err error) bool { return errors.Is(err, errOutcomeUnknown) }

// StatementError is an error that the warehouse raised for a statement. It is
// the cause (errors.As) of the *jobs.Error that describes it.
type StatementError struct {
	// Class is Databricks' error class, such as "TABLE_OR_VIEW_NOT_FOUND" or
	// "UNRESOLVED_COLUMN.WITH_SUGGESTION"; empty if there is none.
	Class    string
	SQLState string
	Message  string
	// QueryID is the statement's id in the warehouse's query history.
	QueryID string
}

func (e *StatementError) Error() string { return e.Message }

// Class returns the error class of a statement's error, or "".
func Class(err error) string {
	if e, ok := errors.AsType[*StatementError](err); ok {
		return e.Class
	}
	return ""
}

var (
	errorClass   = regexp.MustCompile(`\[([A-Z][A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\]`)
	sqlState     = regexp.MustCompile(`SQLSTATE:?\s*([0-9A-Z]{5})`)
	driverPrefix = regexp.MustCompile(
		`^(?:databricks: (?:execution|request|driver) error: |databricks: |failed to execute query: |execute statement request error: |unexpected operation state [A-Z_]+: |open session request error: |error connecting: host=\S+ port=\d+, httpPath=\S+: |org\.apache\.hive\.service\.cli\.HiveSQLException: |Error running query: )`,
	)
	lostSession = regexp.MustCompile(
		`(?i)invalid ?(session|operation) ?handle|thrift: invalid handle|INVALID_HANDLE|session .{0,80}(does not exist|not found|is closed|was closed|has expired)`,
	)
	permission = regexp.MustCompile(
		`(?i)\bPERMISSION_DENIED\b|INSUFFICIENT_PERMISSIONS|does not have (the )?\w+( \w+)? (privilege|permission)|User does not have`,
	)
	starting = regexp.MustCompile(
		`(?i)TEMPORARILY_UNAVAILABLE|(warehouse|cluster|endpoint).{0,80}(is |be )?(start|resum|pending|not running|stopped)`,
	)
)

// translate returns the error of a statement, given the driver's error and the first
// failure that the transport recorded in the call. Both may be nil.
func (w *Warehouse) translate(c *call, err error) error {
	switch ended := c.err(); {
	case errors.Is(ended, errDeadline):
		return w.deadlineError(c)
	case ended != nil:
		return ended
	}
	f := c.firstFailure()
	if f == nil {
		if err == nil {
			return nil
		}
		if e, ok := errors.AsType[*failure](err); ok {
			f = e
		}
	}
	switch {
	case f != nil && f.cause != causeReply:
		return w.transportError(f, c)
	case f != nil:
		return w.statementError(f.message, "", c)
	case errors.Is(err, driver.ErrBadConn):
		return w.lost(err.Error())
	}
	if strings.Contains(err.Error(), dbsqlerr.ErrLinkExpired) {
		return w.linkError(err.Error(), err)
	}
	state := ""
	if e, ok := errors.AsType[dbsqlerr.DBExecutionError](err); ok {
		state = e.SqlState()
	}
	return w.statementError(err.Error(), state, c)
}

// sanitize removes secrets, the driver's prefixes and Java stack traces from a message.
func sanitize(text string) string {
	if len(text) > maxMessage {
		text = shortened([]byte(text))
	}
	if i := strings.IndexAny(text, "\n"); i >= 0 && strings.Contains(text[i:], "\n\tat ") {
		text = text[:i]
	}
	for {
		shorter := driverPrefix.ReplaceAllString(text, "")
		if shorter == text {
			break
		}
		text = shorter
	}
	return redact.Text(text)
}

func (w *Warehouse) lost(text string) error {
	w.sessionLost.Store(true)
	return &jobs.Error{
		Code:    jobs.CodeUnreachable,
		Summary: fmt.Sprintf("The session at %s was lost", w.name),
		Detail:  fmt.Sprintf("The warehouse no longer knows it (%s): it was restarted, or the session expired", sanitize(text)),
		Next:    "Run the job again: an import goes on from its last checkpoint, an export begins anew.",
		Err:     errSessionLost,
	}
}

func (w *Warehouse) statementError(text, state string, c *call) error {
	if lostSession.MatchString(text) {
		return w.lost(text)
	}
	text = sanitize(text)
	e := &StatementError{SQLState: state, Message: text, QueryID: c.id()}
	if m := errorClass.FindStringSubmatch(text); m != nil {
		e.Class = m[1]
	}
	if m := sqlState.FindStringSubmatch(text); m != nil && e.SQLState == "" {
		e.SQLState = m[1]
	}
	out := &jobs.Error{Code: jobs.CodeFailed, Summary: fmt.Sprintf("A statement failed at %s", w.name), Detail: text, Err: e}
	if e.QueryID != "" {
		out.Next = fmt.Sprintf("Look at query %s in the warehouse's query history.", e.QueryID)
	}
	describe(out, e)
	return out
}

// describe sets the code, attribute, summary and next step of an error that the user's
// configuration can cause.
func describe(out *jobs.Error, e *StatementError) {
	class, _, _ := strings.Cut(e.Class, ".")
	switch {
	case class == "TABLE_OR_VIEW_NOT_FOUND" || e.SQLState == "42P01":
		out.Code, out.Attribute = jobs.CodeInvalid, "table"
		out.Summary = "The table was not found, or this user may not see it"
		out.Next = "Check catalog, database and table; seeing a table takes USE CATALOG, USE SCHEMA and SELECT."
	case class == "SCHEMA_NOT_FOUND":
		out.Code, out.Attribute = jobs.CodeInvalid, "database"
		out.Summary = "The database was not found, or this user may not see it"
		out.Next = "Check catalog and database; seeing a database takes USE CATALOG and USE SCHEMA."
	case class == "CATALOG_NOT_FOUND" || class == "NO_SUCH_CATALOG_EXCEPTION":
		out.Code, out.Attribute = jobs.CodeInvalid, "catalog"
		out.Summary = "The catalog was not found, or this user may not see it"
		out.Next = "Check catalog; seeing one takes USE CATALOG."
	case class == "UNRESOLVED_COLUMN" || e.SQLState == "42703":
		out.Code = jobs.CodeInvalid
		out.Summary = "A column was not found"
		out.Next = "Check the names of the columns in the definition."
	case permission.MatchString(e.Message) || e.SQLState == "42501":
		out.Code = jobs.CodeForbidden
		out.Summary = "A permission is missing in Databricks"
		out.Next = grantFor(e.Message)
	case strings.Contains(e.Message, "TIMEDOUT_STATE"), class == "QUERY_EXECUTION_TIMEOUT_EXCEEDED",
		e.SQLState == "57KD0" && strings.Contains(class, "TIMEOUT"),
		strings.Contains(strings.ToLower(e.Message), "statement timed out"), strings.Contains(e.Message, "STATEMENT_TIMEOUT"):
		out.Code, out.Attribute = jobs.CodeTimeout, "query_timeout_minutes"
		out.Summary = "A statement took longer than the query timeout"
		out.Next = "Raise query_timeout_minutes, or use a larger warehouse."
	case strings.Contains(e.Message, "CANCELED_STATE") || class == "OPERATION_CANCELED":
		out.Code = jobs.CodeCancelled
		out.Summary = "A statement was cancelled at the warehouse"
		out.Next = "A user, or a rule of the warehouse, cancelled it: see the warehouse's query history. Then run the job again."
	case e.isServerFailure():
		out.Summary = "The warehouse failed while it executed a statement"
		out.Next = strings.TrimSpace("Run the job again. " + out.Next)
	}
}

// transportError describes a failure of the connection or of HTTP.
func (w *Warehouse) transportError(f *failure, c *call) error {
	text := sanitize(f.Error())
	e := &jobs.Error{Detail: text, Err: f}
	if own, ok := errors.AsType[*jobs.Error](f.err); ok && f.cause == causeToken {
		return own
	}
	switch f.cause {
	case causeLimit:
		if beyond := w.beyondLimit(f); beyond != nil {
			e = beyond
		}
	case causeToken:
		e.Code, e.Attribute = jobs.CodeSecretUnreadable, "token_wo"
		e.Summary = "The access token could not be read"
		e.Next = "Send the token again."
	case causeUnauthorized:
		e.Code, e.Attribute = jobs.CodeUnauthorized, "token_wo"
		e.Summary = fmt.Sprintf("%s refused the access token", w.name)
		e.Next = "Give a token of this workspace that is neither expired nor revoked, and raise its version."
		if w.login != nil {
			e.Attribute = w.login.Attribute()
			e.Next = "Check that the login is for this workspace, and that its user or service principal was added to the workspace."
		}
	case causeForbidden:
		e.Code, e.Attribute = jobs.CodeForbidden, "http_path"
		e.Summary = fmt.Sprintf("%s does not let this user use the warehouse", w.name)
		e.Next = "Grant CAN USE on the warehouse to the token's user or service principal, and check the workspace's IP access list."
	case causeNotFound:
		e.Code, e.Attribute = jobs.CodeInvalid, "http_path"
		e.Summary = fmt.Sprintf("%s has no warehouse at the HTTP path %s", w.name, w.transport.endpoint.Path)
		e.Next = "Copy the HTTP path from the warehouse's connection details."
	case causeBusy, causeUnavailable:
		e.Code = jobs.CodeUnreachable
		e.Summary = fmt.Sprintf("%s is not ready and did not become so within %s", w.name, w.transport.patience)
		e.Next = "See in the workspace whether the warehouse can start, then try again; raise the timeout if it only takes longer."
	case causeLink:
		return w.linkError(text, f)
	case causeInflated:
		// An import goes on in a new session, which does not ask for LZ4.
		e.Code = jobs.CodeUnreachable
		e.Summary = fmt.Sprintf("The warehouse's answer to %s is too large once inflated", f.answered())
		e.Next = "Run the job again: an import goes on from its last checkpoint, an export begins anew."
	case causeMalformed:
		e.Code = jobs.CodeFailed
		e.Summary = fmt.Sprintf("The warehouse's answer to %s is malformed", f.answered())
		e.Next = "Run the job again. Where it stays so, look for a proxy between this machine and " + w.name +
			" that changes what passes, and report the answer to Databricks."
	case causeTLS:
		e.Code, e.Attribute = jobs.CodeUnreachable, "host"
		e.Summary, e.Next = w.untrusted()
	case causeRefused:
		e.Code, e.Attribute = jobs.CodeInvalid, "host"
		e.Summary = fmt.Sprintf("The host %s is not contacted", w.name)
		e.Next = "Check the host. Where it is a host of your own network, list it in private_hosts."
	case causeUnreachable, causeLost, causeSilent:
		e.Code, e.Attribute = jobs.CodeUnreachable, "host"
		e.Summary, e.Next = w.unreachable(f)
	default: // causeHTTP
		e.Code, e.Attribute = jobs.CodeUnreachable, "http_path"
		e.Summary = fmt.Sprintf("%s did not answer like a SQL warehouse", w.name)
		e.Next = "Check host, port and http_path against the warehouse's connection details."
		if f.status >= http.StatusInternalServerError {
			e.Attribute = ""
			e.Summary = fmt.Sprintf("%s failed to answer", w.name)
			e.Next = "Try again; if it stays so, look at the status of the workspace."
		}
	}
	if lostSession.MatchString(f.message) {
		return w.lost(f.message)
	}
	if f.leavesOutcomeOpen() && !c.idempotent {
		e.Err = errors.Join(f, errOutcomeUnknown)
	}
	return e
}

// deadlineError is the error of a statement that did not end in time. It may have taken
// effect.
func (w *Warehouse) deadlineError(c *call) error {
	e := &jobs.Error{Code: jobs.CodeTimeout, Attribute: "query_timeout_minutes",
		Summary: "A statement took longer than the query timeout",
		Detail:  fmt.Sprintf("%s did not answer within %s; the statement is cancelled there", w.name, c.deadline.limit),
		Next:    "Raise query_timeout_minutes, or use a larger warehouse.",
		Err:     errDeadline}
	if !c.idempotent {
		e.Err = errors.Join(errDeadline, errOutcomeUnknown)
	}
	return e
}

// linkError is the error of a result whose files cannot be fetched. The links expire after
// about 15 minutes, and a slow reader may need longer.
func (w *Warehouse) linkError(text string, err error) error {
	return &jobs.Error{Code: jobs.CodeUnreachable, Detail: sanitize(text), Err: err,
		Summary: "A file of a result could not be fetched from the storage that " + w.name + " named",
		Next:    "Run the job again: an import goes on from its last checkpoint, an export begins anew. Where it stays so, let this machine reach the workspace's storage."}
}

func (w *Warehouse) untrusted() (summary, next string) {
	return fmt.Sprintf("The TLS certificate of %s was not accepted", w.name),
		"Check host and port. Behind a proxy that opens TLS, give its certificate authority as ca_file: of the authorization, or, for all " +
			"of them, in the provider block or in the runner's configuration."
}

func (w *Warehouse) unreachable(f *failure) (summary, next string) {
	switch {
	case isDNS(f.err):
		return fmt.Sprintf("The host name %s cannot be resolved", w.transport.endpoint.Hostname()),
			"Check the host for typing errors, and that this machine can resolve it."
	case f.cause == causeLost:
		return fmt.Sprintf("The connection to %s broke off", w.name),
			"Run the job again: an import goes on from its last checkpoint, an export begins anew."
	case f.cause == causeSilent:
		return fmt.Sprintf("%s does not answer", w.name),
			"Check host and port, and that no firewall drops the packets of the connection."
	}
	return fmt.Sprintf("%s cannot be reached", w.name),
		"Check host and port, and that a firewall lets this machine connect."
}

type secretsKey struct{}

// WithSecrets holds secrets for as long as the context is used. Statements that are
// executed with the context may contain them, and errors of these statements do not. A
// secret may be an SQL clause; each string literal in it is a secret then.
func WithSecrets(ctx context.Context, secrets ...jobs.Secret) context.Context {
	for _, s := range secrets {
		for i, part := range strings.Split(s.Reveal(), "'") {
			if i%2 == 1 {
				secrets = append(secrets, jobs.NewSecret(part))
			}
		}
	}
	return context.WithValue(ctx, secretsKey{}, secrets)
}

// saysStarting reports whether an error means that the warehouse is still starting.
func saysStarting(err error) bool {
	e, ok := errors.AsType[*StatementError](err)
	return ok && starting.MatchString(e.Message)
}

// timedOut is the error for a warehouse that did not start in time.
func (w *Warehouse) timedOut(after time.Duration, last error) error {
	detail := "It answers, but does not execute statements yet"
	if last != nil {
		detail = sanitize(last.Error())
	}
	return &jobs.Error{Code: jobs.CodeUnreachable, Attribute: "http_path",
		Summary: fmt.Sprintf("The warehouse at %s did not start within %s", w.name, after.Round(time.Second)),
		Detail:  detail,
		Next:    "See in the workspace whether the warehouse can start, then try again; raise the timeout if it only takes longer.",
		Err:     last}
}
