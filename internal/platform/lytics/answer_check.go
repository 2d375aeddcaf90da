package lytics

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// isSuccess reports whether the body of an answer with the status of a success is one of the
// API: an object with data or a status, whose status is not that of a failure.
func isSuccess(body []byte) bool {
	if !utf8.Valid(body) || !gjson.ValidBytes(body) {
		return false
	}
	envelope := gjson.ParseBytes(body)
	if !envelope.IsObject() {
		return false
	}
	status := envelope.Get("status")
	switch status.Type {
	case gjson.Null:
		return envelope.Get("data").Exists()
	case gjson.Number, gjson.String:
		// The first version of the API also answers words, such as "success".
		n, err := strconv.Atoi(status.String())
		return err == nil && n/100 == 2 || err != nil && status.Type == gjson.String && status.Str != ""
	default:
		return false
	}
}

// malformed is the error of a success with other content than the API describes. A call that
// changes something may have taken effect then, so that it must not be sent again blindly.
func (c call) malformed(err error) error {
	changes := c.method != http.MethodGet
	return &jobs.Error{
		Code: jobs.CodeUnreachable, Attribute: c.urlAttribute(), Summary: c.summary,
		Detail: shorten(fmt.Sprintf("the answer of %s is not what the API describes: %v", c.base.Host, err)),
		Next:   "Check that the address is Lytics's API; else this release may be too old for it",
		Err:    &failure{status: http.StatusOK, garbled: true, unsure: changes, accepted: changes, err: err},
	}
}

// shape is what objects of a kind have in the API.
type shape struct {
	kind string
	// needs are the keys with a text that every object has.
	needs []string
	// texts and flags are the keys that, where they are there, have a text or a truth value.
	texts, flags []string
}

var (
	fieldShape   = shape{kind: "field", needs: []string{"id", "type"}, texts: []string{"shortdesc", "mergeop", "edit_status"}}
	mappingShape = shape{kind: "mapping", needs: []string{"id", "field", "stream", "expr"}, texts: []string{"guard_expr", "edit_status"}}
	segmentShape = shape{
		kind: "audience", needs: []string{"id"}, texts: []string{"name", "slug_name", "description", "segment_ql", "invalid_reason"},
		flags: []string{"deleted", "invalid"},
	}
	patchShape = shape{kind: "patch", needs: []string{"id"}}
	jobShape   = shape{
		kind: "job", needs: []string{"id", "workflow", "status"}, texts: []string{"name", "description", "created", "sleep_until"},
		flags: []string{"deleted"},
	}
	logShape = shape{kind: "log entry", needs: []string{"message"}, texts: []string{"level", "timestamp"}}
)

// check returns an error if an object is not of the shape.
func (s shape) check(r raw) error {
	for _, key := range s.needs {
		if r.text(key) == "" {
			return fmt.Errorf("a %s has no %s", s.kind, key)
		}
	}
	for _, key := range s.texts {
		if v := strings.TrimSpace(string(r[key])); v != "" && v != "null" && v[0] != '"' {
			return fmt.Errorf("the %s of a %s is no text", key, s.kind)
		}
	}
	for _, key := range s.flags {
		if v := strings.TrimSpace(string(r[key])); v != "" && v != "null" && v != "true" && v != "false" {
			return fmt.Errorf("the %s of a %s is neither true nor false", key, s.kind)
		}
	}
	return nil
}

// checkAll checks the objects of a list.
func (s shape) checkAll(list []raw) error { return firstError(list, s.check) }

// firstError checks the entries of a list, and returns the first error with its place.
func firstError[T any](list []T, check func(T) error) error {
	for i, v := range list {
		if err := check(v); err != nil {
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	return nil
}

// checkID checks an object that was asked for by its id.
func (s shape) checkID(r raw, id string) error {
	if err := s.check(r); err != nil {
		return err
	}
	if got := r.text("id"); !strings.EqualFold(got, id) {
		return fmt.Errorf("it is about the %s %q instead of %q", s.kind, shorten(got), id)
	}
	return nil
}

// checkJob checks a job beyond the shape.
func checkJob(r raw) error {
	if err := jobShape.check(r); err != nil {
		return err
	}
	var (
		config map[string]json.RawMessage
		auths  []string
	)
	if err := unmarshal(r["config"], &config); err != nil {
		return fmt.Errorf("the config of job %s is no object", shorten(r.text("id")))
	}
	if err := unmarshal(r["auth_ids"], &auths); err != nil {
		return fmt.Errorf("the auth_ids of job %s are no list of texts", shorten(r.text("id")))
	}
	return nil
}

// count reads a number of things. It is not ok if there is a value that is none.
func count(v gjson.Result) (n int64, ok bool) {
	if !v.Exists() || v.Type == gjson.Null {
		return 0, true
	}
	n, err := strconv.ParseInt(v.Raw, 10, 64)
	return n, v.Type == gjson.Number && err == nil && n >= 0
}
