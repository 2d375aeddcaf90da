package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/cli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// twoJobsFake has two jobs, one of them running.
type twoJobsFake struct {
	fake
	alive     bool
	moves     []jobs.Run
	log       func() []jobs.LogLine
	now       func() jobs.Run
	cancelled []string
}

func twoJobs() *twoJobsFake {
	ended := oneRun(jobs.StatusSucceeded)
	return &twoJobsFake{
		fake: fake{
			all: []jobs.Job{
				{ID: "job_1", JobSpec: jobs.JobSpec{Label: "customers", Import: &jobs.TableImport{}}, NextRunAt: &started},
				{ID: "job_2", JobSpec: jobs.JobSpec{Label: "twin", Import: &jobs.TableImport{}}},
				{ID: "job_3", JobSpec: jobs.JobSpec{Label: "twin", Import: &jobs.TableImport{}}},
			},
			runs: func() []jobs.Run { return []jobs.Run{oneRun(jobs.StatusRunning)} },
		},
		moves: []jobs.Run{
			{ID: "run_1", Status: jobs.StatusQueued, Phase: "queued"},
			{ID: "run_1", Status: jobs.StatusRunning, Phase: "importing rows", Progress: jobs.Progress{Done: 0, Total: 2000}},
			{ID: "run_1", Status: jobs.StatusRunning, Phase: "importing rows", Progress: jobs.Progress{Done: 500, Total: 2000}},
			ended,
		},
		now: func() jobs.Run { return oneRun(jobs.StatusRunning) },
	}
}

func (s *twoJobsFake) Store(context.Context, bool) (jobs.StoreInfo, error) {
	return jobs.StoreInfo{ID: "st_1", Location: "here", RunnerAlive: s.alive}, nil
}

func (s *twoJobsFake) StartRun(_ context.Context, id string, reason jobs.Reason) (jobs.Run, error) {
	if reason != jobs.ReasonManual {
		return jobs.Run{}, errors.New("for another reason")
	}
	r := s.moves[0]
	r.JobID = id
	return r, nil
}

func (s *twoJobsFake) WaitRun(_ context.Context, id string, changed func(jobs.Run)) (jobs.Run, error) {
	for _, r := range s.moves {
		if changed != nil {
			changed(r)
		}
		time.Sleep(time.Second)
	}
	last := s.moves[len(s.moves)-1]
	if len(s.cancelled) > 0 {
		last.Status = jobs.StatusCancelled
	}
	last.ID = id
	return last, nil
}

func (s *twoJobsFake) PauseJob(_ context.Context, id string, paused bool) (jobs.Job, error) {
	for i := range s.all {
		if s.all[i].ID == id {
			s.all[i].Paused = paused
			return s.all[i], nil
		}
	}
	return jobs.Job{}, errors.New("no such job")
}

func (s *twoJobsFake) CancelRun(_ context.Context, id string) error {
	s.cancelled = append(s.cancelled, id)
	return nil
}

func (s *twoJobsFake) Run(_ context.Context, id string) (jobs.Run, error) {
	if r := s.now(); r.ID == id {
		return r, nil
	}
	return jobs.Run{}, &jobs.Error{Code: jobs.CodeNotFound, Summary: "No run " + id}
}

func (s *twoJobsFake) RunLog(context.Context, string) ([]jobs.LogLine, error) { return s.log(), nil }

func TestRunPrintsRateAndTimeLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code, out, errOut := runAPI(t, twoJobs(), "run", "customers")
		if code != 0 || errOut != "" {
			t.Fatalf("code %d: %s", code, errOut)
		}
		for _, want := range []string{"importing rows: 500 of 2,000 (25%), 500/s, 3s left", "succeeded  100,000 rows read, " +
			"99,999 written in 1.5s"} {
			if strings.Count(out, want) != 1 {
				t.Errorf("no %q in\n%s", want, out)
			}
		}
		_, out, _ = runAPI(t, twoJobs(), "run", "job_1", "-json")
		for line := range strings.Lines(out) {
			var r jobs.Run
			if err := json.Unmarshal([]byte(line), &r); err != nil || r.ID != "run_1" {
				t.Errorf("%v: %s", err, line)
			}
		}
		failing := twoJobs()
		failing.moves[3].Status, failing.moves[3].Failure = jobs.StatusFailed, jobs.Failure{Summary: "No table", Next: "Create it"}
		if code, _, errOut := runAPI(t, failing, "run", "customers"); code != 1 || !strings.Contains(errOut, "No table. Create it") {
			t.Errorf("a failed run gave %d: %s", code, errOut)
		}
	})
}

func TestAJobIsFoundByIDOrUniqueLabel(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"nobody": `No job "nobody"`, "twin": "2 jobs have the label"} {
		if code, _, errOut := runAPI(t, twoJobs(), "pause", name); code != 1 || !strings.Contains(errOut, want) {
			t.Errorf("%s gave %d: %s", name, code, errOut)
		}
	}
	if code, out, errOut := runAPI(t, twoJobs(), "pause", "job_3"); code != 0 || !strings.Contains(out, "is paused") {
		t.Errorf("%d: %s%s", code, out, errOut)
	}
	if _, out, _ := runAPI(t, twoJobs(), "resume", "customers"); !strings.Contains(out, "runs next at 2026-03-08 07:30:00Z") {
		t.Errorf("resume says %s", out)
	}
}

func TestRunDetachNeedsARunner(t *testing.T) {
	t.Parallel()
	if code, _, errOut := runAPI(t, twoJobs(), "run", "--detach", "customers"); code != 1 || !strings.Contains(errOut,
		"No runner is connected to this store") {
		t.Errorf("%d: %s", code, errOut)
	}
	s := twoJobs()
	s.alive = true
	if code, out, errOut := runAPI(t, s, "run", "--detach", "customers"); code != 0 || !strings.Contains(out,
		"run_1 of \"customers\" is queued") {
		t.Errorf("%d: %s%s", code, out, errOut)
	}
}

func TestCancelTakesARunOrAJobWithAnActiveRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, name := range []string{"run_1", "customers", "job_1"} {
			s := twoJobs()
			code, out, errOut := runAPI(t, s, "cancel", name)
			if code != 0 || out != "run_1 cancelled\n" || len(s.cancelled) != 1 || s.cancelled[0] != "run_1" {
				t.Errorf("%s gave %d: %s%s %v", name, code, out, errOut, s.cancelled)
			}
		}
		if code, _, errOut := runAPI(t, twoJobs(), "cancel", "nothing"); code != 1 || !strings.Contains(errOut, `No run and no job "nothing"`) {
			t.Errorf("%d: %s", code, errOut)
		}
		idle := twoJobs()
		idle.runs = func() []jobs.Run { return nil }
		if code, _, errOut := runAPI(t, idle, "cancel", "customers"); code != 1 || !strings.Contains(errOut, `"customers" is not running`) {
			t.Errorf("%d: %s", code, errOut)
		}
	})
}

func TestLogsFollowPrintsEveryLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twoJobs()
		looks := 0
		s.now = func() jobs.Run {
			if looks++; looks > 3 {
				return oneRun(jobs.StatusSucceeded)
			}
			return oneRun(jobs.StatusRunning)
		}
		s.log = func() (lines []jobs.LogLine) {
			for range looks {
				lines = append(lines, jobs.LogLine{At: started, Level: "info", Message: "line " + strings.Repeat("i", len(lines)+1)})
			}
			return lines
		}
		_, out, _ := runAPI(t, s, "logs", "run_1")
		if out != "2026-03-08 07:30:00Z  info   line i\n" {
			t.Errorf("without --follow: %s", out)
		}
		_, out, _ = runAPI(t, s, "logs", "run_1", "--follow")
		if strings.Count(out, "\n") != 4 || strings.Count(out, "line ii\n") != 1 {
			t.Errorf("with --follow:\n%s", out)
		}
		_, out, _ = runAPI(t, s, "logs", "run_1", "-json")
		first, _, _ := strings.Cut(out, "\n")
		var line jobs.LogLine
		if err := json.Unmarshal([]byte(first), &line); err != nil || line.Message != "line i" {
			t.Errorf("%v: %s", err, out)
		}
	})
}

// A command uses a URL, else the store of a directory, a database or a
// configuration file, never two at once.
func TestFlagsAndEnvironmentSelectTheRunnerOrStore(t *testing.T) {
	t.Parallel()
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte("token-of-the-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"LYTICS_RUNNER_URL": "https://env", "LYTICS_RUNNER_TOKEN": "token-of-env",
		"LYTICS_RUNNER_CA_FILE": "/ca", "LYTICS_DATA_DIR": "/env"}
	for name, c := range map[string]struct {
		args    []string
		env     map[string]string
		check   func(config.Target) bool
		refused string
	}{
		"the environment": {nil, env, func(t config.Target) bool {
			return t.Runner.URL == "https://env" && t.Runner.Token.Reveal() == "token-of-env" && t.Runner.CAFile == "/ca"
		}, ""},
		"flags": {[]string{"-url", "https://flag", "-token-file", tokenFile, "-ca-file", "/other"}, env, func(t config.Target) bool {
			return t.Runner.URL == "https://flag" && t.Runner.Token.Reveal() == "token-of-the-file" && t.Runner.CAFile == "/other"
		}, ""},
		"a directory goes before the environment's runner": {[]string{"-data-dir", "/flag"}, env,
			func(t config.Target) bool { return t.Runner == nil && t.Engine.DataDir == "/flag" }, ""},
		"a database": {[]string{"-database-url", "postgres://h/d"}, nil,
			func(t config.Target) bool { return t.Engine.DatabaseURL.Reveal() == "postgres://h/d" }, ""},
		"nothing": {nil, nil, func(t config.Target) bool { return filepath.Base(t.Engine.DataDir) == ".lytics" }, ""},
		"two":     {[]string{"-url", "https://flag", "-data-dir", "/flag"}, nil, nil, "Two stores are given"},
		"no file": {[]string{"-config", "/no/such/file"}, nil, nil, "configuration file"},
	} {
		var got config.Target
		var o, e bytes.Buffer
		code := cli.Run(t.Context(), append([]string{"jobs"}, c.args...), cli.Program{
			LookupEnv: func(n string) (string, bool) { v, ok := c.env[n]; return v, ok },
			Open:      func(_ context.Context, t config.Target) (jobs.API, error) { got = t; return &fake{}, nil },
		}, &o, &e)
		if c.refused != "" && (code != 1 || !strings.Contains(e.String(), c.refused)) || c.refused == "" && (code != 0 || !c.check(got)) {
			t.Errorf("%s: code %d, %+v, %s", name, code, got, &e)
		}
	}
}

func TestRunsAreFiltered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ flag, value, want string }{{"-status", "running,dreaming", `"dreaming" is not the status of a run`},
		{"-limit", "0", "The limit is too small"}} {
		if code, _, errOut := runAPI(t, twoJobs(), "runs", c.flag, c.value); code != 1 || !strings.Contains(errOut, c.want) {
			t.Errorf("%s %s gave %d: %s", c.flag, c.value, code, errOut)
		}
	}
	if code, out, errOut := runAPI(t, twoJobs(), "runs", "-job", "customers", "-status", "running", "-since",
		"24h"); code != 0 || !strings.Contains(out, "run_1") {
		t.Errorf("%d: %s%s", code, out, errOut)
	}
}

// fakeWithPages is an API whose runs have pages.
type fakeWithPages struct{ *twoJobsFake }

func (fakeWithPages) RunURL(id string) string { return "https://runner.example.com/runs/" + id }

func TestRunPrintsTheURLOfThePage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const page = "https://runner.example.com/runs/run_1\n"
		if code, out, errOut := runAPI(t, fakeWithPages{twoJobs()}, "run", "customers"); code != 0 || !strings.HasPrefix(out, page) {
			t.Errorf("%d: %s%s", code, out, errOut)
		}
		if _, out, _ := runAPI(t, fakeWithPages{twoJobs()}, "run", "customers", "-json"); strings.Contains(out, page) {
			t.Errorf("a program got %s", out)
		}
		s := twoJobs()
		s.alive = true
		if _, out, _ := runAPI(t, fakeWithPages{s}, "run", "--detach", "customers"); !strings.HasSuffix(out, page) {
			t.Errorf("a run that is left says %s", out)
		}
	})
}
