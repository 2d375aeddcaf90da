// Package cli is the command line of the binary that Terraform also runs as a
// plugin. It starts the runner, and lists and controls jobs and runs, through a
// runner's API or on a store that it opens itself. Output is a table or JSON.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/terminal"
)

// Program connects the command line to the product and to its environment.
type Program struct {
	Version string
	// Open returns the jobs API of a runner, or of a store that it opens.
	Open func(context.Context, config.Target) (jobs.API, error)
	// LookupEnv reads the environment.
	LookupEnv func(string) (string, bool)
	// Worker returns the command of a worker process of the runner, which is this
	// program with the argument WorkerCommand. If it is nil, the runner executes runs
	// in its own process.
	Worker func() *exec.Cmd
}

// The exit codes.
const (
	exitOK = iota
	// exitFailed is the code of a command that failed.
	exitFailed
	// exitUsage is the code of a wrong command line: nothing was done.
	exitUsage
	// exitCancelled is the code of the command run when somebody cancelled the run.
	exitCancelled
)

// exitCodes documents the exit codes in the help text.
const exitCodes = `Exit codes: 0 success, 1 failure, 2 wrong command line, 3 the run was cancelled.`

// command is a subcommand with its own flags.
type command struct {
	// use is the name with the names of the positional arguments.
	use, summary, example string
	// setup declares the flags and returns the function to call after parsing. It is nil
	// if the command only groups others.
	setup func(*pflag.FlagSet, *invocation) func(context.Context) error
	// commands are the subcommands.
	commands []command
	// what and usage are for the error about a subcommand that does not exist: what has
	// no such command, and which ones there are.
	what, usage string
	// argument completes the positional argument.
	argument completion
}

// commands are in the order of the help text.
var commands = []command{
	{use: "runner", summary: "start a runner: it executes schedules and runs, with an API and a page", setup: setupRunner,
		example: "runner --config runner.yml"},
	{use: "jobs", summary: "list the jobs with their next and last runs", setup: setupJobs},
	{use: "runs", summary: "list the runs, newest first; --follow keeps watching", setup: setupRuns,
		example: "runs --job customers --status failed --since 24h"},
	{use: "run JOB", summary: "run a job now and wait for it; --dry-run shows what the run would do", setup: setupRun, argument: jobNames,
		example: "run customers --dry-run"},
	{use: "logs RUN|JOB", summary: "show the log of a run, or of the last run of a job; --follow waits for more lines", setup: setupLogs,
		argument: jobNames, example: "logs customers --follow"},
	{use: "pause JOB", summary: "pause a job's schedule", setup: setupPause(true), argument: jobNames},
	{use: "resume JOB", summary: "resume a job's schedule", setup: setupPause(false), argument: jobNames},
	{use: "cancel RUN|JOB", summary: "cancel a run, or the active one of a job", setup: setupCancel, argument: jobNames},
	{use: "events STREAM", summary: "print the raw events of a stream, as NDJSON", setup: setupEvents, argument: streamNames},
	{use: "profiles AUDIENCE", summary: "print the profiles of an audience (id or slug) as of the last run, as NDJSON or CSV",
		setup: setupProfiles, argument: audienceNames, example: "profiles vip --fields email,name --csv"},
	{use: "profile FIELD=VALUE", summary: "print the profile that has an identifier", setup: setupProfile,
		example: "profile email=ann@example.com"},
	{use: "quarantine", summary: "list the rows that the platform rejected, send them again, or remove them", commands: quarantineCommands,
		what: "The quarantine has", usage: "Use list, resend or drop"},
	{use: "erase", summary: "show the data of one user; --yes removes it permanently, in a Lytics account too", setup: setupErase,
		example: "erase --identifier email=ann@example.com"},
	{use: "token", summary: "make, list, replace or revoke the named tokens of the runner's API and page", commands: tokenCommands,
		what: "Tokens have", usage: "Use create, list, rotate, revoke or link"},
	{use: "audit", summary: "list who changed what, when, from where and with what result", commands: auditCommands,
		what: "The audit log has", usage: "Use list"},
	{use: "store", summary: "copy a store to a new place, back it up while it is in use, restore a backup, or encrypt it with another key",
		commands: storeCommands, what: "A store has", usage: "The commands are copy, backup and restore, and rotate-key"},
	{use: "version", summary: "print the version", setup: setupVersion},
}

// invocation is one execution of a command.
type invocation struct {
	Program
	// out escapes the characters that a terminal obeys; in JSON they keep their
	// values. screen is the output as it is.
	out, screen, errOut io.Writer
	arguments           []string
	json                bool
	target              targetFlags
	// api is set while a command of withAPI runs.
	api jobs.API
}

// Run executes a command line and returns the exit code; see exitCodes.
func Run(ctx context.Context, args []string, p Program, out, errOut io.Writer) int {
	stdout := terminal.NewWriter(out)
	in := &invocation{Program: p, out: stdout, screen: out, errOut: errOut}
	say := func(format string, a ...any) {
		_, _ = fmt.Fprintln(errOut, terminal.Text(redact.Text(fmt.Sprintf(format, a...))))
	}
	if len(args) > 0 && args[0] == WorkerCommand {
		if err := in.work(); err != nil {
			say("%v", err)
			return exitFailed
		}
		return exitOK
	}
	err := in.execute(ctx, args)
	if flushed := stdout.Flush(); err == nil && flushed != nil {
		err = &failure{flushed}
	}
	var failed *failure
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errRunCancelled):
		return exitCancelled
	case errors.As(err, &failed):
		say("%v", failed.err)
		return exitFailed
	}
	say("%v", err)
	return exitUsage
}

// failure is the error of a command whose command line was right.
type failure struct{ err error }

// Error implements error.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap returns the command's error.
func (f *failure) Unwrap() error { return f.err }

func setupVersion(_ *pflag.FlagSet, in *invocation) func(context.Context) error {
	return func(context.Context) error {
		_, err := fmt.Fprintln(in.out, in.Version)
		return err
	}
}
