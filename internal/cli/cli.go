// Package cli is the command line of the same binary that Terraform runs as a
// plugin: it looks at jobs and runs, in tables for people or JSON for programs.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

const usage = `terraform-provider-lytics moves customer data between Databricks and Lytics.
Terraform runs it as a plugin; by hand it shows what a store holds:

  terraform-provider-lytics jobs               the jobs, their next and last runs
  terraform-provider-lytics runs [--follow]    the runs, newest first; --follow watches
  terraform-provider-lytics version            the release

Flags:
`

// Opener opens the jobs API on a data directory.
type Opener func(dataDir string) jobs.API

// Run executes a command line and gives the exit code: 0 done, 1 failed, 2 not
// understood.
func Run(ctx context.Context, args []string, version string, open Opener, out, errOut io.Writer) int {
	c := &command{out: out}
	flags := flag.NewFlagSet("terraform-provider-lytics", flag.ContinueOnError)
	flags.SetOutput(errOut)
	dir := os.Getenv("LYTICS_DATA_DIR")
	if dir == "" {
		dir = ".lytics"
	}
	flags.StringVar(&c.dataDir, "data-dir", dir, "the provider's data_dir (LYTICS_DATA_DIR)")
	flags.BoolVar(&c.json, "json", false, "print JSON, one object a line")
	flags.StringVar(&c.jobID, "job", "", "only the runs of this job")
	flags.IntVar(&c.limit, "limit", 20, "at most so many runs")
	flags.BoolVar(&c.follow, "follow", false, "watch the runs until none is active")
	flags.Usage = func() {
		_, _ = fmt.Fprint(errOut, usage)
		flags.PrintDefaults()
	}
	verb := args[0]
	if err := flags.Parse(args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	run := map[string]func(context.Context) error{"jobs": c.listJobs, "runs": c.listRuns}[verb]
	switch {
	case verb == "version":
		_, _ = fmt.Fprintln(out, version)
		return 0
	case verb == "help" || verb == "-h" || verb == "--help":
		flags.Usage()
		return 0
	case run == nil || flags.NArg() > 0:
		_, _ = fmt.Fprintf(errOut, "unknown command %q\n\n", verb)
		flags.Usage()
		return 2
	}
	c.api = open(c.dataDir)
	err := run(ctx)
	if err = errors.Join(err, c.api.Close()); err != nil {
		_, _ = fmt.Fprintln(errOut, err)
		return 1
	}
	return 0
}

type command struct {
	api     jobs.API
	out     io.Writer
	dataDir string
	jobID   string
	json    bool
	follow  bool
	limit   int
}
