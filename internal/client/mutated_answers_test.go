package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// runnerAnswer is a valid answer of a runner, and the method of jobs.API that asks for it.
type runnerAnswer struct {
	method, request string
	answer          hostiletest.Recording
}

// recordAnswers calls each method of jobs.API once on a real server, and keeps its answers.
func recordAnswers(t *testing.T) []runnerAnswer {
	t.Helper()
	r := newRecorder(t, &filler{})
	s := api.New(api.Config{API: r, Token: jobs.NewSecret(token), Release: "1.2.3", FollowEvery: 1})
	handler := s.Handler()
	var last runnerAnswer
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, req)
		header := map[string]string{}
		for name := range rec.Header() {
			if name != "Content-Length" && name != "Date" {
				header[name] = rec.Header().Get(name)
			}
		}
		if !strings.Contains(req.URL.Path, "/clients/") {
			last.request = req.Method + " " + req.URL.EscapedPath()
			last.answer = hostiletest.Recording{Status: rec.Code, Header: header, Body: rec.Body.String()}
		}
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}))
	defer web.Close()
	c, err := client.New(client.Config{URL: web.URL, Token: jobs.NewSecret(token), Release: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	var all []runnerAnswer
	for m := range reflect.TypeFor[jobs.API]().Methods() {
		if m.Name == "Close" {
			continue
		}
		last = runnerAnswer{method: m.Name}
		if _, err := callMethod(t, c, m.Name); err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		all = append(all, last)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// callMethod calls a method of jobs.API with some arguments, and reads its sequences.
func callMethod(t *testing.T, c *client.Client, name string) (got []any, err error) {
	t.Helper()
	method := reflect.ValueOf(c).MethodByName(name)
	in, _ := arguments(t, method.Type(), &filler{})
	out := method.Call(in)
	if err, _ := out[len(out)-1].Interface().(error); err != nil {
		return nil, err
	}
	for _, v := range out {
		switch v := v.Interface().(type) {
		case nil:
		case iter.Seq2[[]byte, error]:
			list, err := values(jobstest.Events(v))
			if err != nil {
				return nil, err
			}
			got = append(got, list)
		case iter.Seq2[[]jobs.Value, error]:
			list, err := values(v)
			if err != nil {
				return nil, err
			}
			got = append(got, list)
		default:
			got = append(got, v)
		}
	}
	return got, nil
}

func values[T any](seq iter.Seq2[T, error]) (all []T, err error) {
	for v, err := range seq {
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// clientOf returns a client whose requests get an answer, except the heartbeats.
func clientOf(t *testing.T, answer hostiletest.Recording) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{URL: "http://127.0.0.1:8080", Token: jobs.NewSecret(token), Release: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	c.DialBy(hostiletest.Serve(func(r *http.Request) hostiletest.Recording {
		if strings.Contains(r.URL.Path, "/clients/") {
			return hostiletest.Recording{Status: http.StatusNoContent, Header: map[string]string{protocol.VersionHeader: "1"}}
		}
		return answer
	}))
	return c
}

// checklist 73: a mutated answer of a runner is an error or is read as it is.
func TestMutatedAnswersOfARunner(t *testing.T) {
	t.Parallel()
	hostiletest.InProcess(t, func(t *testing.T) {
		t.Helper()
		all := recordAnswers(t)
		hostiletest.EachSeed(t, true, func(t *testing.T, r *rand.Rand) error {
			t.Helper()
			a := all[r.IntN(len(all))]
			mutant := hostiletest.Mutate(r, a.answer)
			c := clientOf(t, mutant)
			began := time.Now()
			got, err := callMethod(t, c, a.method)
			took := time.Since(began)
			if closing := c.Close(); closing != nil {
				return closing
			}
			if took > 25*time.Minute {
				return fmt.Errorf("%s took %s with %s", a.method, took, mutant)
			}
			if err != nil {
				err = hostiletest.CheckError(err, mutant.Missing() || strings.Contains(mutant.Body, "not_found"))
			} else {
				err = checkRunnerResult(a, mutant, got)
			}
			if err != nil {
				return fmt.Errorf("%s with %s: %w", a.method, mutant, err)
			}
			return nil
		})
	})
}

// checkRunnerResult checks the results of a call that did not fail.
func checkRunnerResult(a runnerAnswer, mutant hostiletest.Recording, got []any) error {
	text, ok := mutant.Text(true)
	switch {
	case mutant.Status != a.answer.Status:
		return fmt.Errorf("status %d is a success", mutant.Status)
	case mutant.Header[protocol.VersionHeader] != "1":
		return errors.New("an answer of no runner is a success")
	case a.answer.Status == http.StatusNoContent:
		return nil
	case !ok && a.method != "WaitRun": // what follows the last event is not read
		return errors.New("an incomplete answer is a success")
	case a.method == "EventLines" || a.method == "Scan":
		return checkLines(text, got)
	case a.method == "WaitRun":
		if run, ok := got[0].(jobs.Run); !ok || run.ID == "" || run.Status == "" || run.Status.Active() {
			return fmt.Errorf("the run is %+v", got)
		}
		return nil
	case !json.Valid([]byte(text)):
		return errors.New("an answer that is no JSON is a success")
	case len(got) != 1:
		return fmt.Errorf("there are %d results", len(got))
	}
	v := reflect.ValueOf(got[0])
	switch v.Kind() {
	case reflect.Slice:
		if !slices.Contains(hostiletest.Lengths(text, ""), v.Len()) {
			return fmt.Errorf("the list has %d entries", v.Len())
		}
		for i := range v.Len() {
			if err := hasID(v.Index(i)); err != nil {
				return fmt.Errorf("entry %d: %w", i, err)
			}
		}
	case reflect.Struct:
		return hasID(v)
	case reflect.Int64:
		if !strings.Contains(text, fmt.Sprint(v.Int())) {
			return fmt.Errorf("the number is %d", v.Int())
		}
	}
	return nil
}

func hasID(v reflect.Value) error {
	if v.Kind() != reflect.Struct {
		return nil
	}
	if id := v.FieldByName("ID"); id.IsValid() && id.Kind() == reflect.String && id.String() == "" {
		return errors.New("it has no id")
	}
	return nil
}

// checkLines checks the events or the profiles of a streamed answer.
func checkLines(text string, got []any) error {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			return fmt.Errorf("the line %q is read", line)
		}
	}
	events, isEvents := got[0].([]jobs.Event)
	if isEvents {
		if len(events) != len(lines)-1 {
			return fmt.Errorf("there are %d events in %d lines", len(events), len(lines))
		}
		for i, e := range events {
			if e.ID == "" || e.Time.IsZero() || !bytes.HasPrefix(e.Data, []byte("{")) {
				return fmt.Errorf("event %d is %+v", i, e)
			}
		}
		return nil
	}
	columns, _ := got[0].([]jobs.Field)
	var rows [][]jobs.Value
	if len(got) > 1 {
		rows, _ = got[1].([][]jobs.Value)
	}
	if len(rows) != len(lines)-2 {
		return fmt.Errorf("there are %d profiles in %d lines", len(rows), len(lines))
	}
	for i, row := range rows {
		if len(row) != len(columns) {
			return fmt.Errorf("profile %d has %d values for %d fields", i, len(row), len(columns))
		}
	}
	return nil
}

// An answer that lacks what it is about is an error, and never an empty list, another count
// or a missing object.
func TestAnAnswerWithoutItsContentIsAnError(t *testing.T) {
	t.Parallel()
	status := func(code int) func(a hostiletest.Recording) hostiletest.Recording {
		return func(a hostiletest.Recording) hostiletest.Recording { a.Status = code; return a }
	}
	body := func(text string) func(a hostiletest.Recording) hostiletest.Recording {
		return func(a hostiletest.Recording) hostiletest.Recording { a.Body = text; return a }
	}
	all := recordAnswers(t)
	for name, change := range map[string]func(hostiletest.Recording) hostiletest.Recording{
		"204": status(204), "206": status(206), "404": status(404), "null": body("null"), "nothing": body(""), "a number": body("-1"),
		"true": body("true"), "[null]": body("[null]"), "[{}]": body("[{}]"), "a page": body("<html><body>Sign in</body></html>"),
		"text after it": func(a hostiletest.Recording) hostiletest.Recording { a.Body += "{}\n"; return a },
		"half of it":    func(a hostiletest.Recording) hostiletest.Recording { a.Body = a.Body[:len(a.Body)/2]; return a },
		"a redirect": func(a hostiletest.Recording) hostiletest.Recording {
			a.Status, a.Header = 302, map[string]string{"Location": "https://example.com/", protocol.VersionHeader: "1"}
			return a
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			for _, a := range all {
				if name == "half of it" && a.method == "AudienceSize" || name == "text after it" && a.method == "WaitRun" {
					continue // half of a number is one, and what follows the last event is not read
				}
				if a.answer.Status == http.StatusNoContent && name != "404" && name != "206" && name != "a redirect" {
					continue
				}
				c := clientOf(t, change(a.answer))
				got, err := callMethod(t, c, a.method)
				if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Code == jobs.CodeNotFound || e.Next == "" {
					t.Errorf("%s with %s: got %v, %v", a.method, name, got, err)
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// checklist 74: a byte a second without end ends.
func TestDrippingAnswersOfARunner(t *testing.T) {
	t.Parallel()
	for name, dial := range map[string]hostiletest.Dial{
		"body": hostiletest.Drip('['), "empty lines": hostiletest.Drip('\n'), "header": hostiletest.DripHeader(),
		"body of a runner":        hostiletest.DripWith(protocol.VersionHeader+": 1", '['),
		"empty lines of a runner": hostiletest.DripWith(protocol.VersionHeader+": 1", '\n'),
	} {
		for _, method := range []string{"Job", "Jobs", "EventLines", "Scan", "WaitRun", "DeleteJob"} {
			synctest.Test(t, func(t *testing.T) {
				c, err := client.New(client.Config{URL: "http://127.0.0.1:8080", Token: jobs.NewSecret(token), Release: "1.2.3"})
				if err != nil {
					t.Fatal(err)
				}
				c.DialBy(dial)
				began := time.Now()
				_, err = callMethod(t, c, method)
				if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Next == "" || e.Code == jobs.CodeNotFound {
					t.Errorf("%s, %s: got %v", name, method, err)
				}
				if took := time.Since(began); took > 25*time.Minute {
					t.Errorf("%s, %s: it took %s", name, method, took)
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
