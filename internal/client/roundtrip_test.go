package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
)

const token = "test-token-of-the-runner"

// serve serves an API. It returns a client of the server, and the requests that
// the server received.
func serve(t *testing.T, a jobs.API) (*client.Client, *seen) {
	t.Helper()
	s := api.New(api.Config{API: a, Token: jobs.NewSecret(token), Release: "1.2.3", FollowEvery: 1})
	log := &seen{asked: map[string]bool{}}
	web := httptest.NewServer(log.watch(s.Handler()))
	t.Cleanup(web.Close)
	c, err := client.New(client.Config{URL: web.URL, Token: jobs.NewSecret(token), Release: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, log
}

// seen records "METHOD path" of each request.
type seen struct {
	mu    sync.Mutex
	asked map[string]bool
}

func (s *seen) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked[r.Method+" "+r.URL.EscapedPath()] = true
		s.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// equal treats nil and empty slices as equal, because JSON does not distinguish
// them. Run.Cancelling is no part of an answer.
var equal = cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreFields(jobs.Run{}, "Cancelling"),
	cmp.Comparer(func(a, b jobs.Secret) bool { return a.Reveal() == b.Reveal() })}

// Every method of the API transfers its arguments and its results completely,
// with and without optional values.
func TestEveryCallTransfersArgumentsAndResults(t *testing.T) {
	t.Parallel()
	for _, empty := range []bool{false, true} {
		r := newRecorder(t, &filler{empty: empty})
		c, _ := serve(t, r)
		for m := range reflect.TypeFor[jobs.API]().Methods() {
			if m.Name == "Close" {
				continue
			}
			method := reflect.ValueOf(c).MethodByName(m.Name)
			in, sent := arguments(t, method.Type(), r.values)
			out := method.Call(in)
			if err, _ := out[len(out)-1].Interface().(error); err != nil {
				t.Fatalf("%s: %v", m.Name, err)
			}
			got := results(t, out)
			arrivesAs := m.Name
			if m.Name == "WaitRun" { // the server polls the run
				arrivesAs = "Run"
			}
			arrived, args, answered := r.last()
			if arrived != arrivesAs {
				t.Fatalf("%s: got a call of %s, want %s", m.Name, arrived, arrivesAs)
			}
			if d := cmp.Diff(sent, args, equal); d != "" {
				t.Errorf("%s: what was sent and what arrived:\n%s", m.Name, d)
			}
			if m.Name == "Store" { // the client replaces the location
				got[0] = withLocation(got[0], answered[0])
			}
			if d := cmp.Diff(answered, got, equal); d != "" {
				t.Errorf("%s: what was answered and what came back:\n%s", m.Name, d)
			}
		}
	}
}

func withLocation(got, want any) any {
	g, w := got.(jobs.StoreInfo), want.(jobs.StoreInfo)
	g.Location = w.Location
	return g
}

func arguments(t *testing.T, method reflect.Type, values *filler) (in []reflect.Value, sent []any) {
	t.Helper()
	for i := range method.NumIn() {
		switch p := method.In(i); {
		case p == reflect.TypeFor[context.Context]():
			in = append(in, reflect.ValueOf(t.Context()))
		case p.Kind() == reflect.Func:
			in = append(in, reflect.Zero(p))
		default:
			v := reflect.New(p).Elem()
			values.fill(v)
			in, sent = append(in, v), append(sent, v.Interface())
		}
	}
	return in, sent
}

// results returns a call's results without the error, with sequences as slices.
func results(t *testing.T, out []reflect.Value) []any {
	t.Helper()
	var all []any
	for _, v := range out {
		switch v := v.Interface().(type) {
		case nil:
		case iter.Seq2[[]byte, error]:
			all = append(all, collect(t, jobstest.Events(v)))
		case iter.Seq2[[]jobs.Value, error]:
			all = append(all, collect(t, v))
		default:
			all = append(all, v)
		}
	}
	return all
}

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// checklist 46: an error of any code is transferred unchanged, so only
// CodeNotFound means that an object is missing.
func TestErrorsAreTransferred(t *testing.T) {
	t.Parallel()
	codes := []jobs.Code{
		jobs.CodeNotFound, jobs.CodeConflict, jobs.CodeInUse, jobs.CodeInvalid, jobs.CodeUnauthorized, jobs.CodeForbidden,
		jobs.CodeUnreachable, jobs.CodeSecretUnreadable, jobs.CodeStore, jobs.CodeCancelled, jobs.CodeTimeout, jobs.CodeFailed,
	}
	r := newRecorder(t, &filler{})
	c, _ := serve(t, r)
	for _, code := range codes {
		want := &jobs.Error{Code: code, Attribute: "schedule.time_of_day", Summary: "What é", Detail: "Why.", Next: "Do so"}
		r.fail = want
		for m := range reflect.TypeFor[jobs.API]().Methods() {
			if m.Name == "Close" {
				continue
			}
			method := reflect.ValueOf(c).MethodByName(m.Name)
			in, _ := arguments(t, method.Type(), r.values)
			out := method.Call(in)
			err, _ := out[len(out)-1].Interface().(error)
			if seq, ok := out[0].Interface().(iter.Seq2[[]byte, error]); ok {
				for _, failed := range seq {
					err = failed
				}
			}
			if got, ok := errors.AsType[*jobs.Error](err); !ok || !reflect.DeepEqual(got, want) {
				t.Errorf("%s with %s gave %#v", m.Name, code, err)
			}
		}
	}
	r.fail = errUnknownKind
	if _, err := c.Job(t.Context(), "j"); !jobs.IsCode(err, jobs.CodeFailed) || !strings.Contains(err.Error(), errUnknownKind.Error()) {
		t.Errorf("an error without a code: got %v, want code %s and its text", err, jobs.CodeFailed)
	}
}

// The client uses every operation of the OpenAPI description, and no other.
func TestClientUsesAllOperations(t *testing.T) {
	t.Parallel()
	r := newRecorder(t, &filler{empty: true})
	c, log := serve(t, r)
	for m := range reflect.TypeFor[jobs.API]().Methods() {
		method := reflect.ValueOf(c).MethodByName(m.Name)
		if m.Name == "Close" {
			continue
		}
		in, _ := arguments(t, method.Type(), r.values)
		for i := range in {
			if in[i].Kind() == reflect.String {
				in[i] = reflect.ValueOf("id").Convert(in[i].Type())
			}
			if in[i].Type() == reflect.TypeFor[jobs.Reason]() {
				in[i] = reflect.ValueOf(jobs.ReasonManual)
			}
		}
		method.Call(in)
		if m.Name == "Store" {
			method.Call([]reflect.Value{in[0], reflect.ValueOf(true)})
			method.Call([]reflect.Value{in[0], reflect.ValueOf(false)})
		}
		if seq, ok := method.Call(in)[0].Interface().(iter.Seq2[[]byte, error]); ok {
			collect(t, seq)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(api.Description, &doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			described[strings.ToUpper(method)+" "+strings.ReplaceAll(path, "{id}", "id")] = true
		}
	}
	asked := map[string]bool{}
	for a := range log.asked {
		if _, name, ok := strings.Cut(a, "/clients/"); ok {
			a = strings.Replace(a, name, "id", 1)
		}
		asked[a] = true
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(described)), slices.Sorted(maps.Keys(asked))); d != "" {
		t.Errorf("operations, described (-) and used (+):\n%s", d)
	}
}
