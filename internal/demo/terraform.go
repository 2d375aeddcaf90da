package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/cli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// terraform prepares a command in the demo's directory. A development override
// makes Terraform use the built provider, without init.
func (s *session) terraform(ctx context.Context, args ...string) (*exec.Cmd, error) {
	rc := filepath.Join(filepath.Dir(s.dir), "terraform.rc")
	overrides := fmt.Sprintf(
		"provider_installation {\n  dev_overrides {\n    \"terraform-provider-lytics/lytics\" = %q\n  }\n  direct {}\n}\n",
		filepath.ToSlash(filepath.Dir(s.provider)),
	)
	if err := os.WriteFile(rc, []byte(overrides), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "terraform", append([]string{"-chdir=" + s.dir}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	// A variable of the user's own deployment, such as LYTICS_RUNNER_URL or
	// LYTICS_DATABASE_URL, would send the demo to that store.
	cmd.Env = append(plainEnvironment(),
		"TF_CLI_CONFIG_FILE="+rc, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1",
		"TF_VAR_host="+s.sandbox.Host, "TF_VAR_port="+strconv.Itoa(s.sandbox.Port),
		"TF_VAR_http_path="+s.sandbox.HTTPPath, "TF_VAR_token="+s.sandbox.Token,
		"LYTICS_ALLOW_PRIVATE_HOSTS=true",
		"LYTICS_ENCRYPTION_KEY_FILE="+filepath.Join(filepath.Dir(s.dir), "encryption.key"),
		// The volume that a sandbox has by itself.
		"LYTICS_STAGING_VOLUME_CATALOG=main", "LYTICS_STAGING_VOLUME_SCHEMA=default", "LYTICS_STAGING_VOLUME_VOLUME=staging",
	)
	return cmd, nil
}

// api opens the jobs.API of the demo's store.
func (s *session) api() jobs.API {
	return engine.New(engine.Options{DataDir: filepath.Join(s.dir, ".lytics")})
}

// apply runs terraform apply, and shows the progress of its runs between the
// lines of Terraform's output.
func (s *session) apply(ctx context.Context) error {
	begin := time.Now()
	args := []string{"apply", "-auto-approve", "-input=false", "-compact-warnings"}
	if !s.out.color {
		args = append(args, "-no-color")
	}
	cmd, err := s.terraform(ctx, args...)
	if err != nil {
		return err
	}
	out := s.out.indented()
	cmd.Stdout, cmd.Stderr = out, out
	watch, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		s.watch(watch)
	}()
	err = cmd.Run()
	stop()
	<-watched
	if err != nil {
		return fmt.Errorf("terraform apply: %w", err)
	}
	s.addStep("terraform apply", time.Since(begin))
	return nil
}

// watch prints a line whenever the status or phase of a run changes.
func (s *session) watch(ctx context.Context) {
	shown := map[string]string{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		api := s.api()
		runs, err := api.ListRuns(ctx, jobs.RunFilter{})
		if err = errors.Join(err, api.Close()); err != nil {
			continue // the store does not exist yet
		}
		for _, r := range runs {
			line := cli.Describe(r)
			if !r.Status.Active() || shown[r.ID] == line {
				continue
			}
			shown[r.ID] = line
			s.out.line("%s", s.out.dim(bar(r.Progress)+" "+line))
		}
	}
}

func bar(p jobs.Progress) string {
	const width = 20
	filled := 0
	if p.Total > 0 {
		filled = int(min(p.Done, p.Total) * width / p.Total)
	}
	return "[" + strings.Repeat("#", filled) + strings.Repeat(".", width-filled) + "]"
}

// applyAgain checks that a second apply changes nothing.
func (s *session) applyAgain(ctx context.Context) error {
	cmd, err := s.terraform(ctx, "apply", "-auto-approve", "-input=false", "-compact-warnings", "-no-color")
	if err != nil {
		return err
	}
	text, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("the second terraform apply: %w\n%s", err, text)
	}
	if !bytes.Contains(text, []byte("No changes")) {
		return fmt.Errorf("the second terraform apply should find nothing to change:\n%s", text)
	}
	s.out.line("No changes. Your infrastructure matches the configuration.")
	return nil
}

// runs shows what each run did and how long it took.
func (s *session) runs(ctx context.Context) (err error) {
	api := s.api()
	defer func() { err = errors.Join(err, api.Close()) }()
	all, err := api.ListRuns(ctx, jobs.RunFilter{})
	if err != nil {
		return err
	}
	for i := len(all) - 1; i >= 0; i-- {
		r := all[i]
		job, err := api.Job(ctx, r.JobID)
		if err != nil {
			return err
		}
		if r.Status != jobs.StatusSucceeded {
			return fmt.Errorf("run %s of %s ended as %s: %s", r.ID, job.Label, r.Status, r.Failure)
		}
		took := r.FinishedAt.Sub(*r.StartedAt)
		if job.Import != nil {
			s.out.line(
				"%-28s %s rows imported from %s into stream %s, %s profiles",
				job.Label,
				comma(r.RowsWritten),
				r.Snapshot,
				job.Import.Stream,
				comma(r.Profiles),
			)
			s.leftOut(r)
			s.addStep("import of "+comma(r.RowsWritten)+" rows, with profiles", took)
		} else {
			s.out.line("%-28s %s profiles exported to %s", job.Label, comma(r.RowsWritten), r.Table)
			s.addStep("export of "+comma(r.RowsWritten)+" profiles", took)
		}
	}
	return nil
}

// leftOut says which rows of an import are not in the stream or in no profile.
func (s *session) leftOut(r jobs.Run) {
	for _, c := range []struct {
		n   int64
		why string
	}{
		{r.RowsNull, "without a timestamp: left out"},
		{r.RowsFuture, "later than now: left to a later run"},
		{r.Unidentified, "without an identifier: in the stream, and in no profile"},
		{r.Unfit, "values that do not fit the type of their field: left out of it"},
	} {
		if c.n > 0 {
			s.out.line("%-28s %s %s", "", comma(c.n), c.why)
		}
	}
}
