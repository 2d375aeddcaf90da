//nolint:thelper // the functions passed to onEachDatabase are test bodies
package runner_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// processEnv makes the test binary run a runner instead of the tests. Its value
// is a processConfig in JSON.
const processEnv = "LYTICS_TEST_RUNNER_PROCESS"

type processConfig struct {
	Dir, URL, Name string
	// S3 is the bucket for the events of a store in PostgreSQL; nil with SQLite.
	S3 *s3
}

type s3 struct{ Endpoint, Region, Bucket, AccessKey, SecretKey string }

func (c *s3) config() *staging.S3Config {
	if c == nil {
		return nil
	}
	return &staging.S3Config{
		Bucket: c.Bucket, Region: c.Region, Endpoint: c.Endpoint, UsePathStyle: true,
		AccessKeyID: c.AccessKey, SecretAccessKey: jobs.NewSecret(c.SecretKey),
	}
}

func TestMain(m *testing.M) {
	if text := os.Getenv(processEnv); text != "" {
		if err := runProcess(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m,
		// The PostgreSQL server of the tests runs until the test process ends.
		goleak.IgnoreAnyFunction("github.com/terraform-provider-lytics/terraform-provider-lytics/internal/pgtest/pgserver.(*Server).serve.func1"),
		goleak.IgnoreAnyFunction("os/exec.(*Cmd).Start.func2"),
		// The Databricks driver does not close the last response of a connection.
		goleak.IgnoreTopFunction("net/http.setRequestCancel.func4"))
}

func runProcess(text string) error {
	var c processConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() { // ends the process when the test process ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	e := engine.New(engine.Options{
		DataDir: filepath.Join(c.Dir, "data"), DatabaseURL: jobs.NewSecret(c.URL), EncryptionKeyFile: filepath.Join(c.Dir, "keys", "key"),
		AllowPrivateHosts: true, Getenv: func(string) string { return "" }, Name: c.Name, Staging: c.S3.config(),
	})
	r, err := runner.New(e, runner.Config{Log: runner.NewLog(os.Stderr, true, slog.LevelWarn)})
	if err != nil {
		return err
	}
	fmt.Println("started")
	if err := r.Run(ctx); err != nil {
		return err
	}
	return e.Close()
}

// process starts a runner in a separate process.
func (b *fixture) process(name string, bucket *s3) *exec.Cmd {
	b.t.Helper()
	text, err := json.Marshal(processConfig{Dir: b.dir, URL: b.url.Reveal(), Name: name, S3: bucket})
	if err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), processEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = stdin.Close()
	})
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		b.t.Fatalf("process %s did not start: %v", name, err)
	}
	return cmd
}

// checklist 38 39: of two runners, the one that executes a run is killed with
// SIGKILL. The survivor continues from the cursor, and every row arrives
// exactly once.
func TestRunOfAKilledRunnerContinuesOnAnotherRunner(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		rows := torture.Times(30_000, 30_000, 200_000) // three pages of a result, or more
		// The second fetch hangs for longer than the test takes, so that the first
		// runner is killed during its run.
		warehouse := sandboxtest.Start(t, sandboxtest.WithFaults(sandboxtest.Fault{Kind: "slow", On: "FetchResults", Match: "lytics_digest", After: 1, Delay: "1h"}))
		warehouse.Exec(t, "CREATE SCHEMA main.sales", "CREATE TABLE main.sales.people (id BIGINT, ts TIMESTAMP)",
			fmt.Sprintf("INSERT INTO main.sales.people SELECT id, timestamp_micros(1700000000000000 + (id DIV 7) * 1000001) FROM range(%d)", rows))
		b.work = nil
		var bucket *s3
		if !b.url.Empty() {
			bucket = &s3{warehouse.S3Endpoint, warehouse.S3Region, warehouse.S3Bucket, warehouse.S3AccessKey, warehouse.S3SecretKey}
		}
		b.staging = bucket.config()
		apply := b.apply()
		token := jobs.NewSecret(warehouse.Token)
		auth, err := apply.CreateAuthorization(t.Context(), jobs.AuthorizationChange{Token: &token, AuthorizationSpec: jobs.AuthorizationSpec{
			Label: "warehouse", Host: warehouse.Host, Port: warehouse.Port, HTTPPath: warehouse.HTTPPath}})
		if err != nil {
			t.Fatal(err)
		}
		processes := map[string]*exec.Cmd{"first": b.process("first", bucket), "second": b.process("second", bucket)}
		eventually(t, "both runners are registered", func() bool { return b.count(`SELECT count(*) FROM instances WHERE kind = 'runner'`) == 2 })
		j := b.job(apply, auth.ID, "people", func(s *jobs.JobSpec) {
			startImmediately(s)
			s.Import.Stream, s.Import.BatchSize = "people", 1000
		})
		var run jobs.Run
		eventually(t, "a run that has written rows", func() bool {
			if all := b.runs(apply, j.ID); len(all) == 1 {
				run = all[0]
			}
			if run.Status != "" && !run.Status.Active() {
				t.Fatalf("the run ended before its runner was killed: %+v", run)
			}
			return run.Status == jobs.StatusRunning && run.RowsWritten > 0
		})
		killedRunner, survivor := run.Runner, map[string]string{"first": "second", "second": "first"}[run.Runner]
		if err := processes[killedRunner].Process.Kill(); err != nil {
			t.Fatal(err)
		}
		killedAt := time.Now()
		eventually(t, "the other runner executes the run", func() bool {
			run = b.runs(apply, j.ID)[0]
			return run.Runner == survivor && run.Status != jobs.StatusQueued
		})
		t.Logf("taken over after %s", time.Since(killedAt))
		if run, err = apply.WaitRun(t.Context(), run.ID, nil); err != nil || run.Status != jobs.StatusSucceeded || run.Attempt != 2 {
			t.Fatalf("%+v, %v", run, err)
		}
		b.wantLog(apply, run.ID, "Runner "+killedRunner+" was lost")
		seen := map[int64]int{}
		for e, err := range jobstest.Events(apply.EventLines(t.Context(), "people")) {
			if err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(string(e.Data), `"id":`)
			id, err := strconv.ParseInt(strings.Trim(strings.FieldsFunc(rest, func(r rune) bool { return r == ',' || r == '}' })[0], `" `), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			seen[id]++
		}
		for id := range int64(rows) {
			if seen[id] != 1 {
				t.Fatalf("row %d: got %d events, want 1", id, seen[id])
			}
		}
		if len(seen) != rows {
			t.Fatalf("got %d rows, want %d", len(seen), rows)
		}
	})
}
