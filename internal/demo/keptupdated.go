package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/cli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// keptUpdated starts a runner that keeps a table and an audience updated: the
// second deployment, with the same resources.
func keptUpdated(ctx context.Context, s *session, r *runner) error {
	printLine("a runner serves its API and its page at %s", r.URL)
	if err := s.applyWith(ctx, r); err != nil {
		return err
	}
	if err := r.finished(ctx, 2); err != nil {
		return err
	}
	// The next planned run is tomorrow, so start the run by hand.
	if _, _, err := s.sandbox.query(
		ctx,
		"UPDATE main.sales.customers SET lifetime_value = 99999.99, updated_at = current_timestamp() WHERE customer_id IN (1, 2, 3)",
	); err != nil {
		return err
	}
	printLine("three customers change in the table, and the import runs again")
	if err := r.show(ctx, "run", "customers"); err != nil {
		return err
	}
	if err := r.finished(ctx, 4); err != nil {
		return err
	}
	for _, command := range []string{"jobs", "runs"} {
		if err := r.show(ctx, command); err != nil {
			return err
		}
	}
	return s.table(ctx, "SELECT count(*) AS best_customers FROM main.sales.lytics_user_best_customers")
}

// applyWith applies the configuration through the runner.
func (s *session) applyWith(ctx context.Context, r *runner) error {
	token, err := r.token()
	if err != nil {
		return err
	}
	with := *s
	with.dir = r.dir
	cmd, err := with.terraform(ctx, "apply", "-auto-approve", "-input=false", "-compact-warnings", "-no-color")
	if err != nil {
		return err
	}
	cmd.Env = append(cmd.Env, "LYTICS_RUNNER_URL="+r.URL, "LYTICS_RUNNER_TOKEN="+token)
	text, err := cmd.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); failed {
		return fmt.Errorf("terraform apply with the runner: %w\n%s", err, text)
	}
	if err != nil {
		return err
	}
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte("Apply complete")) {
			printLine("terraform apply: %s", bytes.TrimSpace(line))
		}
	}
	return nil
}

// keptUpdatedTimeout bounds the runs of the runner.
const keptUpdatedTimeout = 5 * time.Minute

// finished waits until n runs have ended, and prints the progress of each.
func (r *runner) finished(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, keptUpdatedTimeout)
	defer cancel()
	shown := map[string]string{}
	for {
		text, err := r.ask(ctx, "runs", "--json")
		if err != nil {
			return err
		}
		var runs []jobs.Run
		for line := range bytes.Lines(text) {
			var run jobs.Run
			if err := json.Unmarshal(line, &run); err != nil {
				return fmt.Errorf("reading the output of runs --json: %w", err)
			}
			runs = append(runs, run)
		}
		ended := 0
		for _, run := range runs {
			if run.Status == jobs.StatusFailed || run.Status == jobs.StatusCancelled {
				return fmt.Errorf("run %s of the runner ended as %s: %s", run.ID, run.Status, run.Failure)
			}
			if !run.Status.Active() {
				ended++
				continue
			}
			if line := cli.Describe(run); line != "" && shown[run.ID] != line {
				shown[run.ID] = line
				_, _ = fmt.Fprintf(indent{os.Stdout}, "\x1b[2m%s %s\x1b[0m\n", bar(run.Progress), line)
			}
		}
		if ended >= n {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d runs of the runner ended: %w", ended, n, context.Cause(ctx))
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// page prints the URL of the page. With -keep it waits for an interrupt.
func (r *runner) page(ctx context.Context, keep bool) error {
	heading("The page")
	if keep {
		printLine("%s", r.URL)
		printLine("Sign in with the token in %s", relative([]string{r.TokenFile}))
		printLine("Ctrl-C stops the runner and the warehouse.")
		<-ctx.Done()
		return nil
	}
	printLine("The page was at %s: the demo stops its runner at the end. To see it:", r.URL)
	printLine("  make demo KEEP=1        the same, and the runner runs until Ctrl-C")
	printLine("  %s", relative(r.command))
	printLine("                          starts the runner again to show its runs (the warehouse has stopped)")
	printLine("Sign in with the token in %s", relative([]string{r.TokenFile}))
	return nil
}

// relative shortens the paths of a command line to the working directory.
func relative(args []string) string {
	here, err := os.Getwd()
	if err != nil {
		here = ""
	}
	var out []byte
	for i, a := range args {
		if i > 0 {
			out = append(out, ' ')
		}
		if rel, err := filepath.Rel(here, a); err == nil && filepath.IsAbs(a) && len(rel) < len(a) {
			a = rel
		}
		out = append(out, a...)
	}
	return string(out)
}
