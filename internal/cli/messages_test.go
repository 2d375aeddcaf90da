package cli_test

import (
	"bytes"
	"context"
	"database/sql"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/cli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// openReal opens a store or a runner as the program does.
func openReal(_ context.Context, t config.Target) (jobs.API, error) {
	if t.Runner != nil {
		return client.New(client.Config{URL: t.Runner.URL, Token: t.Runner.Token})
	}
	return engine.New(engine.OptionsFromConfig(t.Engine, "test")), nil
}

// newData makes a data directory with a field, an audience and no stream.
func newData(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if err := storetest.Create(dir); err != nil {
		t.Fatal(err)
	}
	e := engine.New(engine.Options{DataDir: dir})
	owner := jobs.Owner("test")
	if _, err := e.CreateField(t.Context(), jobs.Field{ID: "email", Type: "string", IsIdentifier: true}, owner); err != nil {
		t.Fatal(err)
	}
	if _, err := e.CreateAudience(t.Context(), jobs.Audience{Name: "VIP", Slug: "vip", Filter: "FILTER EXISTS email"}, owner); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// raiseSchema makes a store one of a newer release.
func raiseSchema(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "lytics.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`); err != nil {
		t.Fatal(err)
	}
}

// unwritable returns a directory in which this user can make nothing. Modes do not stop
// root, but nobody makes a directory in /proc.
func unwritable(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("/proc/self"); err == nil && os.Geteuid() == 0 {
		return "/proc"
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil { // #nosec G302 -- a directory
		t.Fatal(err)
	}
	return dir
}

// variable are the parts of a message that depend on the system and the release.
var variable = regexp.MustCompile(`(schemas up to )\d+|(mkdir PARENT/data: )[a-z ]+`)

// Each message says what happened, to what, why, and what to do next.
func TestMessages(t *testing.T) {
	t.Parallel()
	data := newData(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	newer := newData(t)
	raiseSchema(t, newer)
	parent := unwritable(t)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	https := strings.Replace(plain.URL, "http:", "https:", 1)
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"a file as data directory": {[]string{"jobs", "--data-dir", file}, 1,
			"The data directory FILE is not a directory. It is a file. Set data_dir (--data-dir, LYTICS_DATA_DIR) to a directory; one that does not exist is made"},
		"a file as data directory of a runner": {[]string{"runner", "--data-dir", file}, 1,
			"The data directory FILE cannot be made. mkdir FILE: not a directory. Set --data-dir (LYTICS_DATA_DIR) to a directory that this user can make or write to"},
		"a data directory below a file": {[]string{"runner", "--data-dir", filepath.Join(file, "data")}, 1,
			"The data directory FILE/data cannot be made. mkdir FILE: not a directory. Set --data-dir (LYTICS_DATA_DIR) to a directory that this user can make or write to"},
		"a data directory below a file, read": {[]string{"jobs", "--data-dir", filepath.Join(file, "data")}, 1,
			"The data directory FILE/data is not a directory. One of its parents is a file. Set data_dir (--data-dir, LYTICS_DATA_DIR) to a directory; one that does not exist is made"},
		"an unknown audience": {[]string{"profiles", "vips", "--data-dir", data}, 1,
			`There is no audience "vips". The audiences are "vip"`},
		"an unknown stream": {[]string{"events", "orders", "--data-dir", data}, 1,
			`There is no stream "orders". There are no streams: check --data-dir, --url or --config`},
		"an unknown field": {[]string{"profiles", "vip", "--fields", "emial", "--data-dir", data}, 1,
			`There is no field "emial". The fields are email. Correct the list, or create the field`},
		"an empty field": {[]string{"profiles", "vip", "--fields", "email,,", "--data-dir", data}, 1,
			`There is no field "". The fields are email. Correct the list, or create the field`},
		"an unknown job": {[]string{"run", "orders", "--data-dir", data}, 1,
			`No job "orders". No job has this id or label. There are no jobs: check --data-dir, --url or --config`},
		"an unknown identifier": {[]string{"profile", "email=ann@example.com", "--data-dir", data}, 1,
			"There is no profile of that email. No event with an identifier has been imported yet. Check the value"},
		"a field that is no identifier": {[]string{"profile", "name=ann", "--data-dir", data}, 1,
			`Field "name" is not an identifier. The identifiers are ["email"]. Name one of them`},
		"no identifier": {[]string{"profile", "ann@example.com", "--data-dir", data}, 1,
			`An identifier is written FIELD=VALUE. It has no "=" with text on both sides. Write it as email=ann@example.com`},
		"--since without a unit": {[]string{"runs", "--since", "24", "--data-dir", data}, 1,
			`--since "24" is neither a period nor a time. A period is a positive number with a unit: m, h or d. Use a period such as 90m, 24h or 7d, or a time such as 2026-11-20 or 2026-11-20T06:30:00Z`},
		"--since in the future": {[]string{"audit", "list", "--since", "-24h", "--data-dir", data}, 1,
			`--since "-24h" is neither a period nor a time. A period is a positive number with a unit: m, h or d. Use a period such as 90m, 24h or 7d, or a time such as 2026-11-20 or 2026-11-20T06:30:00Z`},
		"https asked of an http runner": {[]string{"jobs", "--url", https}, 1,
			"The runner at URL does not speak TLS. Its URL begins with https, and the server answers in HTTP. Write http:// in the URL if the runner listens on a loopback address; elsewhere start it with --tls-cert and --tls-key"},
		"a store of a newer release": {[]string{"jobs", "--data-dir", newer}, 1,
			"The store at NEWER was written by a newer release. It has schema 99999, and this release knows schemas up to N. Use the newer release; nothing was changed"},
		"a data directory that cannot be made": {[]string{"runner", "--data-dir", filepath.Join(parent, "data")}, 1,
			"The data directory PARENT/data cannot be made. mkdir PARENT/data: REASON. Set --data-dir (LYTICS_DATA_DIR) to a directory that this user can make or write to"},
		"a mistyped command": {[]string{"rums"}, 2,
			`unknown command "rums". Did you mean runs or run?`},
		"a mistyped flag": {[]string{"runs", "--limits", "3"}, 2,
			"unknown flag: --limits\nSee terraform-provider-lytics runs -h"},
		"a missing argument": {[]string{"run"}, 2,
			"run takes one argument: JOB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errOut bytes.Buffer
			code := cli.Run(t.Context(), c.args, cli.Program{
				Version: "test", LookupEnv: func(n string) (string, bool) {
					if n == "LYTICS_RUNNER_TOKEN" {
						return "token", true
					}
					return "", false
				}, Open: openReal,
			}, &out, &errOut)
			got := strings.NewReplacer(file, "FILE", data, "DATA", newer, "NEWER", parent, "PARENT", https, "URL", strings.TrimPrefix(https, "https://"), "HOST").Replace(errOut.String())
			got = variable.ReplaceAllString(got, "${1}${2}"+map[bool]string{true: "N", false: "REASON"}[strings.Contains(got, "schemas up to")])
			if code != c.code {
				t.Errorf("got code %d, want %d", code, c.code)
			}
			if diff := cmp.Diff(c.want, strings.TrimSpace(got)); diff != "" {
				t.Errorf("the message differs (-want +got):\n%s", diff)
			}
		})
	}
}

// A run that somebody cancels is no error: the output says so, and the exit code is its own.
func TestACancelledRunIsNoError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twoJobs()
		s.moves[3].Status = jobs.StatusCancelled
		code, out, errOut := runAPI(t, s, "run", "customers")
		if code != 3 || errOut != "" || !strings.Contains(out, "run_1  cancelled  100,000 rows read, 99,999 written in 1.5s\n") {
			t.Errorf("got code %d, %q and %q; want 3, no error, and the counts", code, out, errOut)
		}
	})
}

// checklist 84: a value of a flag goes before the environment, and that before the file.
func TestFlagsBeatTheEnvironmentAndThatTheFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "runner.yml")
	if err := os.WriteFile(file, []byte("data_dir: /file\nallow_private_hosts: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env  map[string]string
		args []string
		want string
	}{
		"the file":        {nil, nil, "/file"},
		"the environment": {map[string]string{"LYTICS_DATA_DIR": "/env"}, nil, "/env"},
		"the flag":        {map[string]string{"LYTICS_DATA_DIR": "/env"}, []string{"--data-dir", "/flag"}, "/flag"},
	} {
		var got config.Target
		var out bytes.Buffer
		code := cli.Run(t.Context(), append([]string{"jobs", "--config", file}, c.args...), cli.Program{
			LookupEnv: func(n string) (string, bool) { v, ok := c.env[n]; return v, ok },
			Open:      func(_ context.Context, t config.Target) (jobs.API, error) { got = t; return &fake{}, nil },
		}, &out, &out)
		if code != 0 || got.Engine.DataDir != c.want || !config.Bool(got.Engine.AllowPrivateHosts) {
			t.Errorf("%s: got code %d and %+v, want the directory %s", name, code, got.Engine, c.want)
		}
	}
}

// Progress in a log has a line for each phase, one when the rate is known, and then one
// every ten seconds.
func TestProgressWithoutATerminalIsShort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := twoJobs()
		ended := s.moves[3]
		s.moves = s.moves[:1]
		for n := range 60 {
			s.moves = append(s.moves, jobs.Run{ID: "run_1", Status: jobs.StatusRunning, Phase: "importing rows",
				Progress: jobs.Progress{Done: int64(n * 100), Total: 6000}})
		}
		s.moves = append(s.moves, ended)
		code, out, _ := runAPI(t, s, "run", "customers")
		if lines := strings.Count(out, "\n"); code != 0 || lines != 9 {
			t.Errorf("got code %d and %d lines, want 0 and 9 in a minute:\n%s", code, lines, out)
		}
	})
}

// Labels stand where ids would.
func TestTablesNameJobsByTheirLabels(t *testing.T) {
	t.Parallel()
	f := &fake{
		all:  []jobs.Job{{ID: "job_1", JobSpec: jobs.JobSpec{Label: "customers", Import: &jobs.TableImport{}}}},
		runs: func() []jobs.Run { return []jobs.Run{oneRun(jobs.StatusSucceeded)} },
	}
	if _, out, _ := run(t, f, "runs"); !strings.Contains(out, "run_1  customers  succeeded") {
		t.Errorf("got %s, want the label of the job", out)
	}
}

// logs of a job is the log of its last run.
func TestLogsOfAJobIsTheLogOfItsLastRun(t *testing.T) {
	t.Parallel()
	s := twoJobs()
	s.log = func() []jobs.LogLine { return []jobs.LogLine{{At: started, Level: "info", Message: "of run_1"}} }
	if code, out, errOut := runAPI(t, s, "logs", "customers"); code != 0 || !strings.Contains(out, "of run_1") {
		t.Errorf("got code %d, %q and %q, want the log of run_1", code, out, errOut)
	}
}

// A shell completes the names of jobs.
func TestJobNamesAreCompleted(t *testing.T) {
	t.Parallel()
	if code, out, errOut := runAPI(t, twoJobs(), "__complete", "run", ""); code != 0 || !strings.HasPrefix(out, "customers\ntwin\n") {
		t.Errorf("got code %d, %q and %q, want the labels", code, out, errOut)
	}
}

// The names of subcommands are found behind flags.
func TestFlagsMayStandBeforeASubcommand(t *testing.T) {
	t.Parallel()
	f := &accessFake{}
	if code, out, errOut := runAPI(t, f, "token", "--name", "ci", "revoke"); code != 0 || !strings.Contains(out, "2 of the tokens") {
		t.Errorf("got code %d, %q and %q", code, out, errOut)
	}
}

// docs/command-line.md has the help of this release.
func TestTheReferenceOfTheCommandLineIsCurrent(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile(filepath.Join("..", "..", "docs", "command-line.md"))
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := cli.Reference(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("docs/command-line.md differs from the help (-file +help); run make generate:\n%s", diff)
	}
}
