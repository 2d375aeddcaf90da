package cli_test

import (
	"context"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
)

// customerDataFake has one stream and one audience.
type customerDataFake struct {
	fake
	asked  []string
	erased []bool
}

func (h *customerDataFake) EventLines(_ context.Context, stream string) iter.Seq2[[]byte, error] {
	h.asked = append(h.asked, stream)
	return func(yield func([]byte, error) bool) {
		at := time.Date(2026, 3, 8, 7, 30, 0, 123456000, time.FixedZone("", 3600))
		if yield(jobstest.EventLine(jobs.Event{ID: "e1", Time: at, Data: []byte(`{"a":"<1>","n":1.10}`)}), nil) && h.err != nil {
			yield(nil, h.err)
		}
	}
}

func (h *customerDataFake) Scan(_ context.Context, audience string, fields []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error) {
	h.asked = append(h.asked, audience, strings.Join(fields, "+"))
	columns := []jobs.Field{{ID: "email", Type: "string"}, {ID: "spent", Type: "number"}, {ID: "tags", Type: "[]string"}}
	return columns, func(yield func([]jobs.Value, error) bool) {
		if yield([]jobs.Value{{Text: "12"}, {Text: "0.10"}, {Text: `["a","b"]`}}, nil) {
			yield([]jobs.Value{{Text: "x,\"y\""}, {Null: true}, {Null: true}}, nil)
		}
	}, h.err
}

func (h *customerDataFake) Erase(_ context.Context, r jobs.ErasureRequest) (jobs.Erasure, error) {
	id := r.Identity
	h.asked = append(h.asked, id.Field+" is "+id.Value)
	h.erased = append(h.erased, !r.DryRun)
	return jobs.Erasure{Found: true, Done: !r.DryRun, Identities: []jobs.Identity{id, {Field: "phone", Value: "1"}},
		Streams: []jobs.ErasedEvents{{Stream: "shop", Events: 1234}}}, h.err
}

func TestEventsPrintsNDJSON(t *testing.T) {
	t.Parallel()
	h := &customerDataFake{}
	code, out, errOut := runAPI(t, h, "events", "shop", "--data-dir", "x")
	if want := `{"id":"e1","time":"2026-03-08T06:30:00.123456Z","data":{"a":"<1>","n":1.10}}` + "\n"; code != 0 || out != want || h.asked[0] != "shop" {
		t.Errorf("code %d, %s%s", code, out, errOut)
	}
	h.err = context.DeadlineExceeded
	if code, out, errOut := runAPI(t, h, "events", "shop"); code != 1 || out == "" || !strings.Contains(errOut, "deadline") {
		t.Errorf("code %d, %s%s", code, out, errOut)
	}
}

func TestProfilesPrintsNDJSONOrCSV(t *testing.T) {
	t.Parallel()
	h := &customerDataFake{}
	_, out, _ := runAPI(t, h, "profiles", "-fields", "email,spent", "vip")
	if want := `{"email":"12","spent":0.10,"tags":["a","b"]}` + "\n" + `{"email":"x,\"y\""}` + "\n"; out != want {
		t.Errorf("got %s", out)
	}
	if got := strings.Join(h.asked, " "); got != "vip email+spent" {
		t.Errorf("asked for %s", got)
	}
	_, out, _ = runAPI(t, h, "profiles", "vip", "--csv")
	if want := "email,spent,tags\n12,0.10,\"[\"\"a\"\",\"\"b\"\"]\"\n\"x,\"\"y\"\"\",,\n"; out != want {
		t.Errorf("got %s", out)
	}
}

func TestEraseRemovesOnlyWithYes(t *testing.T) {
	t.Parallel()
	h := &customerDataFake{}
	_, out, _ := runAPI(t, h, "erase", "--identifier", "email=a=b@x.io")
	for _, want := range []string{"email=a=b@x.io", "phone=1", "shop: 1,234 events", "Nothing was removed", "--yes"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if _, out, _ = runAPI(t, h, "erase", "--identifier", "email=a", "--yes"); !strings.Contains(out, "Erased") {
		t.Errorf("got\n%s", out)
	}
	if _, out, _ = runAPI(t, h, "erase", "--identifier", "email=a", "-json"); !strings.Contains(out,
		`"streams":[{"stream":"shop","events":1234}],"done":false`) {
		t.Errorf("got\n%s", out)
	}
	if len(h.erased) != 3 || h.erased[0] || !h.erased[1] || h.erased[2] || h.asked[0] != "email is a=b@x.io" {
		t.Errorf("erased %v, asked %v", h.erased, h.asked)
	}
	for _, bad := range []string{"", "email", "=x", "email="} {
		if code, _, errOut := runAPI(t, h, "erase", "--identifier", bad, "--yes"); code != 1 || !strings.Contains(errOut, "FIELD=VALUE") {
			t.Errorf("%q: code %d, %s", bad, code, errOut)
		}
	}
	if len(h.erased) != 3 {
		t.Error("something was erased")
	}
}

func TestCommandsCheckTheirNumberOfArguments(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"events"}, {"events", "a", "b"}, {"profiles", "--csv"}, {"jobs", "x"}, {"erase", "email=a"}} {
		if code, out, errOut := runAPI(t, &customerDataFake{}, args...); code != 2 || out != "" || !strings.Contains(errOut, "argument") {
			t.Errorf("%v: code %d, %s%s", args, code, out, errOut)
		}
	}
}
