package cli_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/cli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// lyticsFake is a Lytics account that completes an erasure at a look.
type lyticsFake struct {
	fake
	missing     bool
	asked       []jobs.ErasureRequest
	looks       int
	doneAt      int
	interrupted context.CancelFunc
}

func (f *lyticsFake) Erase(_ context.Context, r jobs.ErasureRequest) (jobs.Erasure, error) {
	f.asked = append(f.asked, r)
	e := jobs.Erasure{Account: "Acme (4f7b)", Found: !f.missing, Identities: []jobs.Identity{r.Identity}}
	if e.Found && !r.DryRun {
		e.RequestID = "req-1"
	}
	return e, nil
}

func (f *lyticsFake) ErasureDone(ctx context.Context, request string) (bool, error) {
	if request != "req-1" {
		return false, &jobs.Error{Code: jobs.CodeNotFound, Summary: "There is no request"}
	}
	f.looks++
	if f.interrupted != nil {
		f.interrupted()
	}
	return f.looks == f.doneAt, ctx.Err()
}

const ann = "--identifier=email=ann@example.com"

// The narrow erasure is the default, and both choices are spelled out before
// anything is removed.
func TestEraseSpellsOutTheChoiceOfConflicts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arguments []string
		want      jobs.ErasureRequest
		says      []string
	}{
		"a dry run": {
			[]string{ann}, jobs.ErasureRequest{DryRun: true},
			[]string{"Acme (4f7b)", "Nothing was removed", "conflicts=false", "With --conflicts", "other people", "cannot be undone", "Databricks"},
		},
		"a dry run with conflicts": {
			[]string{ann, "--conflicts"}, jobs.ErasureRequest{DryRun: true, Conflicts: true},
			[]string{"Nothing was removed", "conflicts=true", "other people", "Without --conflicts"},
		},
		"an erasure": {
			[]string{ann, "--yes"}, jobs.ErasureRequest{},
			[]string{"conflicts=false", "brings the user back", "next export", "Erased: Lytics has completed request req-1"},
		},
		"an erasure with conflicts": {
			[]string{ann, "--yes", "--conflicts"}, jobs.ErasureRequest{Conflicts: true},
			[]string{"conflicts=true", "brings the user back", "Erased"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &lyticsFake{doneAt: 1}
			code, out, errOut := runAPI(t, f, append([]string{"erase"}, c.arguments...)...)
			if code != 0 || errOut != "" {
				t.Errorf("got code %d, %s; want 0", code, errOut)
			}
			c.want.Identity = jobs.Identity{Field: "email", Value: "ann@example.com"}
			if d := cmp.Diff([]jobs.ErasureRequest{c.want}, f.asked); d != "" {
				t.Errorf("asked for: want and got:\n%s", d)
			}
			for _, want := range c.says {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
	f := &lyticsFake{missing: true}
	if _, out, _ := runAPI(t, f, "erase", ann, "--yes"); !strings.Contains(out, "Nothing was sent to Lytics") || f.looks != 0 {
		t.Errorf("a user who is not there: got %d looks and\n%s", f.looks, out)
	}
}

// The wait shows that Lytics is at work, ends with the erasure, with --timeout or
// with an interruption, and can be taken up again by the id of the request.
func TestEraseWaitsForLytics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		f := &lyticsFake{doneAt: 4}
		code, out, errOut := runAPI(t, f, "erase", ann, "--yes")
		if code != 0 || f.looks != 4 || strings.Count(out, "Lytics is erasing: request req-1") != 3 {
			t.Errorf("got code %d after %d looks, want 0 after 4:\n%s%s", code, f.looks, out, errOut)
		}
		if took := time.Since(begun); took != 7*time.Second {
			t.Errorf("the pauses took %s, want 1, 2 and 4 s", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		code, _, errOut := runAPI(t, &lyticsFake{}, "erase", ann, "--yes", "--timeout", "1m")
		if code != 1 || !strings.Contains(errOut, "1m0s") || !strings.Contains(errOut, "erase --request req-1") {
			t.Errorf("after the time-out: got code %d, %s; want 1, with the way on", code, errOut)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var out, errOut bytes.Buffer
		f := &lyticsFake{interrupted: cancel}
		code := cli.Run(ctx, []string{"erase", "--request", "req-1"}, cli.Program{
			LookupEnv: func(string) (string, bool) { return "", false },
			Open:      func(context.Context, config.Target) (jobs.API, error) { return f, nil },
		}, &out, &errOut)
		if code != 1 || !strings.Contains(errOut.String(), "interrupted") || !strings.Contains(errOut.String(), "--request req-1") {
			t.Errorf("after an interruption: got code %d, %s; want 1, with the way on", code, &errOut)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := &lyticsFake{doneAt: 2}
		if code, out, _ := runAPI(t, f, "erase", "--request", "req-1", "--json"); code != 0 || len(f.asked) != 0 ||
			out != `{"done":false,"request_id":"req-1"}`+"\n"+`{"done":true,"request_id":"req-1"}`+"\n" {
			t.Errorf("got code %d, %d requests, %s", code, len(f.asked), out)
		}
	})
	if code, _, errOut := runAPI(t, &lyticsFake{}, "erase", "--request", "req-1", "--yes"); code != 1 || !strings.Contains(errOut, "--request excludes") {
		t.Errorf("--request with --yes: got code %d, %s; want a refusal", code, errOut)
	}
}

// --lytics makes the account of the environment's token the platform of a command.
func TestLyticsFlagChoosesTheAccount(t *testing.T) {
	t.Parallel()
	var got config.Target
	open := func(_ context.Context, target config.Target) (jobs.API, error) {
		got = target
		return &lyticsFake{}, nil
	}
	environment := func(name string) (string, bool) {
		if name == "LYTICS_API_TOKEN" {
			return "at.1", true
		}
		return "", false
	}
	var out, errOut bytes.Buffer
	code := cli.Run(t.Context(), []string{"erase", ann, "--lytics"}, cli.Program{LookupEnv: environment, Open: open}, &out, &errOut)
	if account := got.Engine.LyticsAccount(); code != 0 || account == nil || account.Token.Reveal() != "at.1" {
		t.Errorf("got code %d, account %v, %s; want the account of the token", code, account, &errOut)
	}
	none := func(string) (string, bool) { return "", false }
	code = cli.Run(t.Context(), []string{"erase", ann, "--lytics"}, cli.Program{LookupEnv: none, Open: open}, &out, &errOut)
	if code != 1 || !strings.Contains(errOut.String(), "LYTICS_API_TOKEN") {
		t.Errorf("without a token: got code %d, %s; want a refusal that names LYTICS_API_TOKEN", code, &errOut)
	}
}
