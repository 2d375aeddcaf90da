package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
	cmd.Env = append(os.Environ(),
		"TF_CLI_CONFIG_FILE="+rc, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1",
		"TF_VAR_host="+s.sandbox.Host, "TF_VAR_port="+strconv.Itoa(s.sandbox.Port),
		"TF_VAR_http_path="+s.sandbox.HTTPPath, "TF_VAR_token="+s.sandbox.Token,
		"LYTICS_ALLOW_PRIVATE_HOSTS=true",
		"LYTICS_ENCRYPTION_KEY_FILE="+filepath.Join(filepath.Dir(s.dir), "encryption.key"),
		"LYTICS_STAGING_S3_BUCKET="+s.sandbox.S3.Bucket, "LYTICS_STAGING_S3_REGION="+s.sandbox.S3.Region,
		"LYTICS_STAGING_S3_ENDPOINT="+s.sandbox.S3.Endpoint, "LYTICS_STAGING_S3_USE_PATH_STYLE=true",
		"LYTICS_STAGING_S3_ACCESS_KEY_ID="+s.sandbox.S3.AccessKey, "LYTICS_STAGING_S3_SECRET_ACCESS_KEY="+s.sandbox.S3.SecretKey,
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
	cmd, err := s.terraform(ctx, "apply", "-auto-approve", "-input=false", "-compact-warnings")
	if err != nil {
		return err
	}
	out := indent{os.Stdout}
	cmd.Stdout, cmd.Stderr = out, out
	watch, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		s.watch(watch, out)
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
func (s *session) watch(ctx context.Context, out io.Writer) {
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
			_, _ = fmt.Fprintf(out, "\x1b[2m%s %s\x1b[0m\n", bar(r.Progress), line)
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
	printLine("No changes. Your infrastructure matches the configuration.")
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
			printLine(
				"%-28s %s rows imported from %s into stream %s, %s profiles",
				job.Label,
				comma(r.RowsWritten),
				r.Snapshot,
				job.Import.Stream,
				comma(r.Profiles),
			)
			s.addStep("import of "+comma(r.RowsWritten)+" rows, with profiles", took)
		} else {
			printLine("%-28s %s profiles exported to %s", job.Label, comma(r.RowsWritten), r.Table)
			s.addStep("export of "+comma(r.RowsWritten)+" profiles", took)
		}
	}
	return nil
}

// indent indents lines.
type indent struct{ w io.Writer }

func (i indent) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if _, err := i.w.Write(append([]byte("  "), line...)); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
