// Package cli is the command line of the binary that Terraform also runs as a
// plugin. It starts the runner, and lists and controls jobs and runs, through a
// runner's API or on a store that it opens itself. Output is a table or JSON.
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

// Program connects the command line to the product and to its environment.
type Program struct {
	Version string
	// Open returns the jobs API of a runner, or of a store that it opens.
	Open func(context.Context, config.Target) (jobs.API, error)
	// LookupEnv reads the environment.
	LookupEnv func(string) (string, bool)
}

// command is a subcommand with its own flags.
type command struct {
	name string
	// arguments are the names of the positional arguments.
	arguments []string
	summary   string
	// setup declares the flags and returns the function to call after parsing.
	setup func(*flag.FlagSet, *invocation) func(context.Context) error
}

// commands are in the order of the help text.
var commands = []command{
	{"runner", nil, "start a runner: it executes schedules and runs, with an API and a page", setupRunner},
	{"jobs", nil, "list the jobs with their next and last runs", setupJobs},
	{"runs", nil, "list the runs, newest first; --follow keeps watching", setupRuns},
	{"run", []string{"JOB"}, "run a job now and wait for it; --dry-run shows what the run would do", setupRun},
	{"logs", []string{"RUN|JOB"}, "show the log of a run, or of a job that Lytics executes; --follow waits for more lines", setupLogs},
	{"pause", []string{"JOB"}, "pause a job's schedule", setupPause(true)},
	{"resume", []string{"JOB"}, "resume a job's schedule", setupPause(false)},
	{"cancel", []string{"RUN"}, "cancel a run, or the active one of a job", setupCancel},
	{"events", []string{"STREAM"}, "print the raw events of a stream, as NDJSON", setupEvents},
	{"profiles", []string{"AUDIENCE"}, "print the profiles of an audience (id or slug) as of the last run, as NDJSON or CSV", setupProfiles},
	{"quarantine", []string{"list|resend|drop"}, "list the rows that the platform rejected, send them again, or remove them", setupQuarantine},
	{"erase", nil, "show the data of one user; --yes removes it permanently, in a Lytics account too", setupErase},
	{"store", []string{"copy|backup|restore"}, "copy a store to a new place, back it up while it is in use, or restore a " +
		"backup", setupStore},
	{"version", nil, "print the version", setupVersion},
}

// invocation is one execution of a command.
type invocation struct {
	Program
	out, errOut io.Writer
	arguments   []string
	json        bool
	target      targetFlags
	// api is set while a command of withAPI runs.
	api jobs.API
}

// Run executes a command line and returns the exit code: 0 for success, 1 for
// failure, 2 for a wrong command line.
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
		say("terraform-provider-lytics %s [flags]\n\n%s.\n\nFlags:", strings.Join(append([]string{c.name}, c.arguments...), " "),
			upperFirst(c.summary))
		flags.PrintDefaults()
	}
	do := c.setup(flags, in)
	var err error
	in.arguments, err = parseInterleaved(flags, args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case len(c.arguments) == 0 && len(in.arguments) > 0:
		say("%s takes no argument, but got %q", c.name, in.arguments[0])
		return 2
	case len(in.arguments) != len(c.arguments):
		say("%s takes one argument: %s", c.name, strings.Join(c.arguments, " "))
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
		"Terraform runs it as a plugin. On the command line it is the runner, and lists and controls jobs and runs:\n\n")
	for _, c := range commands {
		_, _ = fmt.Fprintf(t, "  terraform-provider-lytics %s\t%s\n", strings.Join(append([]string{c.name}, c.arguments...), " "), c.summary)
	}
	_, _ = fmt.Fprint(t, "\nCommands use the runner at --url (LYTICS_RUNNER_URL), or the runner that owns --data-dir (LYTICS_DATA_DIR).\n"+
		"Without a runner they open the store in --data-dir, or at LYTICS_DATABASE_URL. COMMAND -h lists the flags of a command.\n"+
		"If the platform is a Lytics account, --lytics or --config names it; the command events then has nothing to show.\n")
	_ = t.Flush()
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// parseInterleaved accepts flags before, between and after the arguments.
func parseInterleaved(flags *flag.FlagSet, args []string) (arguments []string, err error) {
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
