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
	s.out.line("a runner serves its API and its page at %s", r.URL)
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
	s.out.line("three customers change in the table, and the import runs again")
	if err := r.show(ctx, "run", "customers"); err != nil {
		return err
	}
	if err := r.finished(ctx, 4); err != nil {
		return err
	}
	if err := r.showAll(ctx); err != nil {
		return err
	}
	return s.table(ctx, "SELECT count(*) AS best_customers FROM main.sales.lytics_user_best_customers")
}

// showAll shows the jobs and the runs.
func (r *runner) showAll(ctx context.Context) error {
	for _, command := range []string{"jobs", "runs"} {
		if err := r.show(ctx, command); err != nil {
			return err
		}
	}
	return nil
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
			s.out.line("terraform apply: %s", bytes.TrimSpace(line))
		}
	}
	return nil
}

// keptUpdatedTimeout bounds the runs of the runner. A test runs the demo on a busy machine.
const keptUpdatedTimeout = 15 * time.Minute

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
				r.out.line("%s", r.out.dim(bar(run.Progress)+" "+line))
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

// page prints the URL of the page, and again, the command that keeps it running. With -keep
// it prints a link that signs in, and waits for an interrupt.
func (r *runner) page(ctx context.Context, keep bool, again string) error {
	r.out.heading("The page")
	if keep {
		link, err := r.ask(ctx, "token", "link")
		if err != nil {
			return err
		}
		r.out.line("%s", bytes.TrimSpace(link))
		r.out.line("The link signs in once, within %d minutes. Later: %s, with the token in %s",
			int(jobs.SignInCodeLifetime.Minutes()), r.URL, relative([]string{r.TokenFile}))
		r.out.line("Ctrl-C stops the runner and the warehouse.")
		<-ctx.Done()
		return nil
	}
	r.out.line("The page was at %s: the demo stops its runner at the end. To see it:", r.URL)
	r.out.line("  %s", again)
	r.out.line("                          does the same, and the runner runs until Ctrl-C")
	r.out.line("  %s", relative(r.command))
	r.out.line("                          starts the runner again to show its runs (the warehouse has stopped)")
	r.out.line("Sign in with the token in %s", relative([]string{r.TokenFile}))
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
