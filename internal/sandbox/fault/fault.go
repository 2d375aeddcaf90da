// Package fault injects faults: it holds which faults are set, which calls they
// hit, and how often.
package fault

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is the kind of a fault.
type Kind string

// The kinds of faults.
const (
	// ColdStart is a stopped warehouse. For Seconds, counted from the first call
	// after the fault was set, statements are rejected or delayed.
	ColdStart Kind = "cold_start"
	// TooManyRequests answers HTTP 429 with Retry-After.
	TooManyRequests Kind = "too_many_requests"
	// Unavailable answers HTTP 503, before or after the call takes effect.
	Unavailable Kind = "unavailable"
	// SessionExpired closes the session, and reports it as a Thrift exception or
	// as an error status.
	SessionExpired Kind = "session_expired"
	// Cut closes the connection in the middle of the answer.
	Cut Kind = "cut"
	// FetchError answers FetchResults with an error status.
	FetchError Kind = "fetch_error"
	// LinkExpired returns CloudFetch links that have expired.
	LinkExpired Kind = "link_expired"
	// LinkPadding writes more rows to a CloudFetch file than its link declares,
	// which Databricks' files may have too.
	LinkPadding Kind = "link_padding"
	// Mutate answers HTTP 200 with an answer in which bytes were changed. A proxy
	// that corrupts traffic and a warehouse with a bug answer so; single changed
	// bytes have ended the process of a client.
	Mutate Kind = "mutate"
	// Slow delays an answer, at the longest until the fault is removed.
	Slow Kind = "slow"
	// TokenRevoked refuses the token from then on, until another one is set.
	TokenRevoked Kind = "token_revoked"
	// TokenRefused answers a request for a token with an error of OAuth, as a workspace
	// does where an administrator removed a policy.
	TokenRefused Kind = "token_refused"
	// StatementError fails a statement without executing it.
	StatementError Kind = "statement_error"
	// IgnoredSetting ignores a session parameter of OpenSession, as clusters do, to which
	// ANSI_MODE, TIMEZONE and STATEMENT_TIMEOUT are unknown. The session then has what a
	// cluster may have: the time zone America/Los_Angeles, no ANSI mode, no time-out, and a
	// dbr_version instead of a dbsql_version. SET of Spark's names for them works.
	IgnoredSetting Kind = "ignored_setting"
	// S3Error answers an S3 request with an error.
	S3Error Kind = "s3_error"
	// S3Slow delays an S3 request, at the longest until the fault is removed.
	S3Slow Kind = "s3_slow"
)

// Fault is an injected fault. A field with its zero value has the kind's default.
type Fault struct {
	ID   string `json:"id,omitempty"`
	Kind Kind   `json:"kind"`

	// On is the RPC, such as FetchResults, the S3 operation, such as UploadPart, or the
	// call of the Files API, such as PutFile; "*" is any of them.
	On string `json:"on,omitempty"`
	// Match is a regular expression on the statement's text, the S3 key, the path in a
	// volume, or the name of the session parameter (ignored_setting).
	Match string `json:"match,omitempty"`
	// After is how many matching calls pass before the first hit.
	After int `json:"after,omitempty"`
	// Times is how many calls are hit; -1 is all. The default depends on the kind.
	Times int `json:"times,omitempty"`

	// Seconds is how long a cold start takes.
	Seconds float64 `json:"seconds,omitempty"`
	// Delay is how long a slow answer is delayed.
	Delay Duration `json:"delay,omitempty"`
	// RetryAfter is the Retry-After header, in seconds.
	RetryAfter int `json:"retry_after,omitempty"`
	// Form is a kind's variant: reject or delay (cold_start), exception or
	// status (session_expired), before or after (unavailable), any, truncated or
	// types (mutate).
	Form string `json:"form,omitempty"`
	// Status is the HTTP status of token_revoked, token_refused and s3_error.
	Status int `json:"status,omitempty"`
	// Message is the error's text.
	Message string `json:"message,omitempty"`
	// SQLState is the SQLSTATE that goes with Message.
	SQLState string `json:"sql_state,omitempty"`
	// Seed selects the changes of mutate. Equal answers that are hit with equal
	// seeds in the same order are changed equally.
	Seed int64 `json:"seed,omitempty"`
}

// Duration is a time.Duration whose text form is Go's: "1.5s".
type Duration time.Duration

// MarshalText writes the duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// kindSpec holds the options of a kind, and their defaults.
type kindSpec struct {
	// on is the default of On; calls are its other allowed values.
	on      string
	calls   []string
	times   int
	forms   []string
	options []string
	status  int
	message string
}

// CloudFetch is the value of On for result links and their downloads.
const CloudFetch = "CloudFetch"

// Discovery and TokenRequest are the values of On for the workspace's OAuth server: its
// description, and its tokens.
const (
	Discovery    = "Discovery"
	TokenRequest = "TokenRequest"
)

var (
	sessionCalls = []string{
		"*", "CloseSession", "GetInfo", "ExecuteStatement", "GetTypeInfo", "GetCatalogs", "GetSchemas",
		"GetTables", "GetTableTypes", "GetColumns", "GetFunctions", "GetPrimaryKeys", "GetCrossReference",
		"GetOperationStatus", "CancelOperation", "CloseOperation", "GetResultSetMetadata", "FetchResults",
	}
	thriftCalls = append([]string{"OpenSession"}, sessionCalls...)
	oauthCalls  = []string{Discovery, TokenRequest}
	httpCalls   = append([]string{CloudFetch}, thriftCalls...)
	statusCalls = slices.Concat(oauthCalls, httpCalls, fileCalls)
	s3Calls     = []string{
		"*", "PutObject", "UploadPart", "CreateMultipartUpload", "CompleteMultipartUpload", "AbortMultipartUpload",
		"GetObject", "HeadObject", "ListObjects", "DeleteObject",
		"AssumeRole", "GetFederationToken", "GetCallerIdentity",
	}
	// fileCalls are the calls of the Files API: of the workspace, and of the store of
	// its files.
	fileCalls = []string{"PutFile", "GetFile", "DeleteFile", "PutDirectory", "GetDirectory", "DeleteDirectory"}
	restCalls = slices.Concat(httpCalls, fileCalls)
)

var kindSpecs = map[Kind]kindSpec{
	ColdStart: {
		on:      "ExecuteStatement",
		calls:   []string{"OpenSession"},
		times:   -1,
		forms:   []string{"reject", "delay"},
		options: []string{"seconds", "retry_after"},
	},
	TooManyRequests: {on: "ExecuteStatement", calls: statusCalls, times: 1, options: []string{"retry_after"}},
	Unavailable: {
		on:      "ExecuteStatement",
		calls:   statusCalls,
		times:   1,
		forms:   []string{"before", "after"},
		options: []string{"retry_after"},
	},
	SessionExpired: {on: "ExecuteStatement", calls: sessionCalls, times: 1, forms: []string{"exception", "status"}},
	Cut:            {on: "FetchResults", calls: restCalls, times: 1},
	FetchError: {
		on:      "FetchResults",
		times:   1,
		options: []string{"message", "sql_state"},
		message: "The result of the statement could not be read.",
	},
	Mutate: {
		on:      "FetchResults",
		calls:   httpCalls,
		times:   1,
		forms:   []string{"any", "truncated", "types"},
		options: []string{"seed"},
	},
	LinkExpired:  {on: CloudFetch, times: 1},
	LinkPadding:  {on: CloudFetch, times: 1},
	Slow:         {on: "ExecuteStatement", calls: statusCalls, times: 1, options: []string{"delay"}},
	TokenRevoked: {on: "*", calls: slices.Concat(thriftCalls, fileCalls), times: 1, options: []string{"status"}, status: 401},
	TokenRefused: {
		on:      TokenRequest,
		calls:   oauthCalls,
		times:   1,
		options: []string{"status", "message"},
		status:  400,
		message: "The exchange is not permitted.",
	},
	StatementError: {
		on:      "ExecuteStatement",
		times:   1,
		options: []string{"message", "sql_state"},
		message: "[INTERNAL_ERROR] The statement failed because a fault asked for it. SQLSTATE: XX000",
	},
	IgnoredSetting: {on: "OpenSession", times: -1},
	S3Error: {
		on:      "PutObject,UploadPart",
		calls:   slices.Concat(s3Calls, fileCalls),
		times:   1,
		options: []string{"status", "message"},
		status:  503,
		message: "Please reduce your request rate.",
	},
	S3Slow: {on: "PutObject,UploadPart", calls: slices.Concat(s3Calls, fileCalls), times: 1, options: []string{"delay"}},
}

// Parse reads a fault from the command line: JSON, or key=value pairs separated
// by commas.
func Parse(text string) (Fault, error) {
	object := []byte(text)
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		fields := map[string]any{}
		for pair := range strings.SplitSeq(text, ",") {
			key, value, ok := strings.Cut(pair, "=")
			if !ok {
				return Fault{}, fmt.Errorf("fault %q: %q is not key=value; write a fault whose values hold commas as JSON", text, pair)
			}
			fields[strings.TrimSpace(key)] = number(strings.TrimSpace(key), strings.TrimSpace(value))
		}
		var err error
		if object, err = json.Marshal(fields); err != nil {
			return Fault{}, fmt.Errorf("fault %q: %w", text, err)
		}
	}
	var f Fault
	d := json.NewDecoder(strings.NewReader(string(object)))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", text, err)
	}
	return f, f.check()
}

func number(key, value string) any {
	switch key {
	case "after", "times", "seconds", "retry_after", "status", "seed":
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			return n
		}
	}
	return value
}

func (f *Fault) check() error {
	t, ok := kindSpecs[f.Kind]
	if !ok {
		return fmt.Errorf("fault kind %q does not exist; the kinds are %s", f.Kind, strings.Join(Kinds(), ", "))
	}
	for name := range strings.SplitSeq(f.On, ",") {
		if f.On != "" && f.On != t.on && !slices.Contains(t.calls, name) && name != t.on {
			return fmt.Errorf("fault %s cannot hit on=%q; it can hit %s", f.Kind, name, strings.Join(append([]string{t.on}, t.calls...), ", "))
		}
	}
	if _, err := regexp.Compile(f.Match); err != nil {
		return fmt.Errorf("fault %s: match: %w", f.Kind, err)
	}
	if f.After < 0 || f.Times < -1 || f.Seconds < 0 || f.Delay < 0 || f.RetryAfter < 0 {
		return fmt.Errorf("fault %s: negative number; only times may be -1, for all calls", f.Kind)
	}
	if f.Form != "" && !slices.Contains(t.forms, f.Form) {
		return fmt.Errorf("fault %s: form %q does not exist; the forms are %q", f.Kind, f.Form, t.forms)
	}
	given := map[string]bool{
		"seconds": f.Seconds != 0, "delay": f.Delay != 0, "retry_after": f.RetryAfter != 0,
		"status": f.Status != 0, "message": f.Message != "", "sql_state": f.SQLState != "",
		"seed": f.Seed != 0,
	}
	for name, set := range given {
		if set && !slices.Contains(t.options, name) {
			return fmt.Errorf("fault %s has no option %s; it has %q", f.Kind, name, t.options)
		}
	}
	switch f.Kind {
	case ColdStart:
		if f.Seconds == 0 {
			return fmt.Errorf("fault %s needs seconds, the time until the warehouse has started", f.Kind)
		}
		if f.Form == "delay" && f.On != "" && f.On != t.on {
			return fmt.Errorf("fault %s with form=delay delays statements: on must be %s, not %s", f.Kind, t.on, f.On)
		}
	case Unavailable:
		if f.Form == "after" && strings.Contains(f.On, CloudFetch) {
			return fmt.Errorf("fault %s: form=after has no meaning on %s, since a download has no effect", f.Kind, CloudFetch)
		}
		if f.Form == "after" && (strings.Contains(f.On, Discovery) || strings.Contains(f.On, TokenRequest)) {
			return fmt.Errorf("fault %s: form=after has no meaning on %s, since a client asks for another token", f.Kind, f.On)
		}
	case Slow, S3Slow:
		if f.Delay == 0 {
			return fmt.Errorf("fault %s needs delay, such as 2s", f.Kind)
		}
	case TokenRevoked:
		if f.Status != 0 && f.Status != 401 && f.Status != 403 {
			return fmt.Errorf("fault %s: status must be 401 or 403, not %d", f.Kind, f.Status)
		}
	case S3Error, TokenRefused:
		if f.Status != 0 && (f.Status < 400 || f.Status > 599) {
			return fmt.Errorf("fault %s: status must be from 400 to 599, not %d", f.Kind, f.Status)
		}
	default:
	}
	return nil
}

// withDefaults sets the fields that the caller left out.
func (f Fault) withDefaults() Fault {
	t := kindSpecs[f.Kind]
	if f.On == "" {
		f.On = t.on
	}
	if f.Times == 0 {
		f.Times = t.times
	}
	if f.Form == "" && len(t.forms) > 0 {
		f.Form = t.forms[0]
	}
	if f.Status == 0 {
		f.Status = t.status
	}
	if f.Message == "" {
		f.Message = t.message
	}
	if f.Kind == TooManyRequests && f.RetryAfter == 0 {
		f.RetryAfter = 1
	}
	return f
}

// Kinds returns the names of all kinds.
func Kinds() []string {
	var out []string
	for k := range kindSpecs {
		out = append(out, string(k))
	}
	slices.Sort(out)
	return out
}
