package sandboxtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

// Fault is one injected fault; internal/sandbox/fault describes the fields. Zero
// values mean the kind's defaults.
type Fault struct {
	// Kind is cold_start, too_many_requests, unavailable, session_expired, cut,
	// fetch_error, mutate, link_expired, link_padding, slow, token_revoked,
	// token_refused, ignored_setting, statement_error, s3_error or s3_slow.
	Kind string `json:"kind"`
	// On is the RPC or S3 operation that the fault affects; "*" means any.
	On string `json:"on,omitempty"`
	// Match is a regular expression on the statement's text, or the S3 key.
	Match string `json:"match,omitempty"`
	// After is the number of matching calls before the first affected one.
	After int `json:"after,omitempty"`
	// Times is the number of affected calls; 0 means 1, -1 means all.
	Times int `json:"times,omitempty"`
	// Seconds is how long a cold start takes.
	Seconds float64 `json:"seconds,omitempty"`
	// Delay is how long a slow answer waits, as Go writes durations.
	Delay string `json:"delay,omitempty"`
	// RetryAfter is the header of the same name, in seconds.
	RetryAfter int `json:"retry_after,omitempty"`
	// Form is reject or delay (cold_start), exception or status
	// (session_expired), before or after (unavailable), any, truncated or types
	// (mutate).
	Form     string `json:"form,omitempty"`
	Status   int    `json:"status,omitempty"`
	Message  string `json:"message,omitempty"`
	SQLState string `json:"sql_state,omitempty"`
	// Seed selects the changes of mutate.
	Seed int64 `json:"seed,omitempty"`
}

// SetFault adds faults.
func (s *Sandbox) SetFault(tb testing.TB, faults ...Fault) {
	tb.Helper()
	if err := s.postFaults(faults); err != nil {
		tb.Fatal(err)
	}
}

// FaultHits is how many calls the faults in force have affected.
func (s *Sandbox) FaultHits(tb testing.TB) (hits int) {
	tb.Helper()
	var out struct {
		Faults []struct {
			Hit int `json:"hit"`
		} `json:"faults"`
	}
	if err := s.admin(http.MethodGet, "/faults", nil, &out); err != nil {
		tb.Fatal(err)
	}
	for _, f := range out.Faults {
		hits += f.Hit
	}
	return hits
}

// ClearFaults removes all faults.
func (s *Sandbox) ClearFaults(tb testing.TB) {
	tb.Helper()
	if err := s.admin(http.MethodDelete, "/faults", nil, nil); err != nil {
		tb.Fatal(err)
	}
}

// Statement is a statement that the sandbox received.
type Statement struct {
	// ID is the statement's id; empty for a call that was rejected.
	ID string `json:"id"`
	// Session is the id of the statement's session.
	Session string `json:"session"`
	// Tags are the session's query tags.
	Tags string `json:"query_tags"`
	// Operation is EXECUTE_STATEMENT, or the name of a call that a fault
	// rejected, such as FetchResults.
	Operation string `json:"operation"`
	// Text is the statement as it was sent.
	Text string `json:"text"`
	// Outcome is RUNNING, FINISHED, ERROR, CANCELED, TIMEDOUT, CLOSED or
	// REJECTED.
	Outcome       string `json:"outcome"`
	Error         string `json:"error"`
	HTTPStatus    int    `json:"http_status"`
	RowsDelivered int64  `json:"rows_delivered"`
	// RowsScanned is how many rows of tables the statement read, as DuckDB counts them: a sort
	// reads its input once there.
	RowsScanned int64     `json:"rows_scanned"`
	Started     time.Time `json:"started"`
}

// Statements returns the received statements, oldest first.
func (s *Sandbox) Statements(tb testing.TB) []Statement {
	tb.Helper()
	var out struct {
		Statements []Statement `json:"statements"`
		Dropped    int         `json:"dropped"`
	}
	if err := s.admin(http.MethodGet, "/statements", nil, &out); err != nil {
		tb.Fatal(err)
	}
	if out.Dropped > 0 {
		tb.Fatalf("the sandbox dropped %d statements from its list", out.Dropped)
	}
	return out.Statements
}

// ForgetStatements clears the list of statements.
func (s *Sandbox) ForgetStatements(tb testing.TB) {
	tb.Helper()
	if err := s.admin(http.MethodDelete, "/statements", nil, nil); err != nil {
		tb.Fatal(err)
	}
}

// Sessions returns the ids of the open sessions.
func (s *Sandbox) Sessions(tb testing.TB) []string {
	tb.Helper()
	var out struct {
		Sessions []struct {
			ID string `json:"id"`
		} `json:"sessions"`
	}
	if err := s.admin(http.MethodGet, "/sessions", nil, &out); err != nil {
		tb.Fatal(err)
	}
	ids := []string{}
	for _, session := range out.Sessions {
		ids = append(ids, session.ID)
	}
	return ids
}

// SetToken changes the token that the sandbox accepts.
func (s *Sandbox) SetToken(tb testing.TB, token string) {
	tb.Helper()
	if err := s.admin(http.MethodPut, "/token", map[string]string{"token": token}, nil); err != nil {
		tb.Fatal(err)
	}
}

// ExpireTokens expires the access tokens of the service principal.
func (s *Sandbox) ExpireTokens(tb testing.TB) {
	tb.Helper()
	if err := s.admin(http.MethodPost, "/expire", nil, nil); err != nil {
		tb.Fatal(err)
	}
}

func (s *Sandbox) postFaults(faults []Fault) error {
	for _, f := range faults {
		if err := s.admin(http.MethodPost, "/faults", f, nil); err != nil {
			return err
		}
	}
	return nil
}

// adminClient has no time-out: the sandbox may be slow on a busy machine, and the
// time-out of the test binary ends a test that hangs.
var adminClient = &http.Client{}

func (s *Sandbox) admin(method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(context.Background(), method, s.AdminURL+path, body)
	if err != nil {
		return err
	}
	response, err := adminClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("sandbox %s %s: %s: %s", method, path, response.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}
