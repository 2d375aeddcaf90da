// Package cli is the command line of the same binary that Terraform runs as a
// plugin: it looks at jobs, runs, events and profiles, in tables for people or
// JSON for programs, and erases users.
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
  terraform-provider-lytics events STREAM      the raw events of a stream, as NDJSON
  terraform-provider-lytics profiles AUDIENCE  the profiles of an audience, given by id or slug, as NDJSON or CSV,
                                               as of the last run; --fields chooses some
  terraform-provider-lytics erase --identifier FIELD=VALUE
                                               what there is of one user; with --yes it is removed, for good
  terraform-provider-lytics version            the release

Events, profiles and erase are about the embedded platform.

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
	flags.StringVar(&c.fields, "fields", "", "profiles: only these fields, separated by commas")
	flags.BoolVar(&c.csv, "csv", false, "profiles: print CSV with a header instead of NDJSON")
	flags.StringVar(&c.identifier, "identifier", "", "erase: the user, as FIELD=VALUE, as profiles have it")
	flags.BoolVar(&c.yes, "yes", false, "erase: remove, and not only look")
	flags.Usage = func() {
		_, _ = fmt.Fprint(errOut, usage)
		flags.PrintDefaults()
	}
	name := args[0]
	arguments, err := parse(flags, args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	does, known := c.verbs()[name]
	switch {
	case name == "version":
		_, _ = fmt.Fprintln(out, version)
		return 0
	case name == "help" || name == "-h" || name == "--help":
		flags.Usage()
		return 0
	case !known:
		_, _ = fmt.Fprintf(errOut, "unknown command %q\n\n", name)
		flags.Usage()
		return 2
	case does.takes == "" && len(arguments) > 0:
		_, _ = fmt.Fprintf(errOut, "%s takes no argument, and was given %q\n", name, arguments[0])
		return 2
	case does.takes != "" && len(arguments) != 1:
		_, _ = fmt.Fprintf(errOut, "%s takes one argument: %s\n", name, does.takes)
		return 2
	}
	if does.takes != "" {
		c.argument = arguments[0]
	}
	c.api = open(c.dataDir)
	err = does.run(ctx)
	if err = errors.Join(err, c.api.Close()); err != nil {
		_, _ = fmt.Fprintln(errOut, err)
		return 1
	}
	return 0
}

// parse takes flags before, between and after the arguments.
func parse(flags *flag.FlagSet, args []string) (arguments []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return arguments, nil
		}
		arguments, args = append(arguments, flags.Arg(0)), flags.Args()[1:]
	}
}

type command struct {
	api        jobs.API
	out        io.Writer
	dataDir    string
	argument   string
	jobID      string
	fields     string
	identifier string
	json       bool
	csv        bool
	follow     bool
	yes        bool
	limit      int
}

// verb is a command, and the argument that it takes.
type verb struct {
	takes string
	run   func(context.Context) error
}

func (c *command) verbs() map[string]verb {
	return map[string]verb{
		"jobs": {run: c.listJobs}, "runs": {run: c.listRuns},
		"events": {"STREAM", c.listEvents}, "profiles": {"AUDIENCE", c.listProfiles},
		"erase": {run: c.erase},
	}
}
