// Package cli is the command line of the same binary that Terraform runs as a
// plugin: the runner, and what people do with jobs and runs, in tables for
// people or JSON for programs. It asks a runner, or opens the store itself.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Program is what the command line is given from outside.
type Program struct {
	Version string
	// Open gives the jobs API: of a runner, or of the store itself.
	Open func(context.Context, config.Target) (jobs.API, error)
	// LookupEnv reads the environment.
	LookupEnv func(string) (string, bool)
}

// command is one of the verbs, with flags of its own.
type command struct {
	name string
	// takes names the arguments, for people; a command of none has none.
	takes   []string
	summary string
	// setup declares flags, and gives what to do once they are parsed.
	setup func(*flag.FlagSet, *invocation) func(context.Context) error
}

// commands in the order of the help.
var commands = []command{
	{"runner", nil, "serve: execute schedules and runs, with an API and a page", setupRunner},
	{"jobs", nil, "the jobs, their next and last runs", setupJobs},
	{"runs", nil, "the runs, newest first; --follow watches", setupRuns},
	{"run", []string{"JOB"}, "run a job now and follow it; --dry-run says what it would do", setupRun},
	{"logs", []string{"RUN"}, "the log of a run; --follow waits for more", setupLogs},
	{"pause", []string{"JOB"}, "pause a job's schedule", setupPause(true)},
	{"resume", []string{"JOB"}, "resume a job's schedule", setupPause(false)},
	{"cancel", []string{"RUN"}, "cancel a run, or the active one of a job", setupCancel},
	{"events", []string{"STREAM"}, "the raw events of a stream, as NDJSON", setupEvents},
	{"profiles", []string{"AUDIENCE"}, "the profiles of an audience (id or slug), as of the last run, as NDJSON or CSV", setupProfiles},
	{"erase", nil, "what there is of one user; with --yes it is removed, for good", setupErase},
	{"store", []string{"copy|backup|restore"}, "copy a store to where there is none, back it up while it is in use, restore a backup", setupStore},
	{"version", nil, "the release", setupVersion},
}

// invocation is one execution of a command.
type invocation struct {
	Program
	out, errOut io.Writer
	arguments   []string
	json        bool
	target      targetFlags
	// api is open while a command that reaches runs.
	api jobs.API
}

// Run executes a command line and gives the exit code: 0 done, 1 failed, 2 not
// understood.
func Run(ctx context.Context, args []string, p Program, out, errOut io.Writer) int {
	in := &invocation{Program: p, out: out, errOut: errOut}
	say := func(format string, a ...any) { _, _ = fmt.Fprintf(errOut, format+"\n", a...) }
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		usage(errOut)
		return 0
	}
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		say("unknown command %q\n", args[0])
		usage(errOut)
		return 2
	}
	c := commands[i]
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.Usage = func() {
		say("terraform-provider-lytics %s [flags]\n\n%s.\n\nFlags:", strings.Join(append([]string{c.name}, c.takes...), " "), upper(c.summary))
		flags.PrintDefaults()
	}
	do := c.setup(flags, in)
	var err error
	in.arguments, err = parse(flags, args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case len(c.takes) == 0 && len(in.arguments) > 0:
		say("%s takes no argument, and was given %q", c.name, in.arguments[0])
		return 2
	case len(in.arguments) != len(c.takes):
		say("%s takes one argument: %s", c.name, strings.Join(c.takes, " "))
		return 2
	}
	if err := do(ctx); err != nil {
		say("%v", err)
		return 1
	}
	return 0
}

func usage(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(t, "terraform-provider-lytics moves customer data between Databricks and Lytics.\n"+
		"Terraform runs it as a plugin; by hand it is the runner, and shows and steers what runs:\n\n")
	for _, c := range commands {
		_, _ = fmt.Fprintf(t, "  terraform-provider-lytics %s\t%s\n", strings.Join(append([]string{c.name}, c.takes...), " "), c.summary)
	}
	_, _ = fmt.Fprint(t, "\nCommands ask the runner at --url (LYTICS_RUNNER_URL), else the one that owns --data-dir (LYTICS_DATA_DIR),\n"+
		"else they open the store there, or at LYTICS_DATABASE_URL. COMMAND -h lists a command's flags.\n"+
		"Events, profiles and erase are about the embedded platform.\n")
	_ = t.Flush()
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

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

func setupVersion(_ *flag.FlagSet, in *invocation) func(context.Context) error {
	return func(context.Context) error {
		_, err := fmt.Fprintln(in.out, in.Version)
		return err
	}
}
