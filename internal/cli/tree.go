package cli

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/terminal"
)

// name is the program's name in help texts.
const name = "terraform-provider-lytics"

const about = `terraform-provider-lytics moves customer data between Databricks and Lytics.
Terraform runs it as a plugin. On the command line it is the runner, and lists and controls jobs and runs.

Commands use the runner at --url (LYTICS_RUNNER_URL), or the runner that owns --data-dir (LYTICS_DATA_DIR).
Without a runner they open the store in --data-dir, or at LYTICS_DATABASE_URL. COMMAND -h lists the flags of a command.
If the platform is a Lytics account, --lytics or --config names it; the command events then has nothing to show.
A flag goes before the variable of the environment, and that before the configuration file.

` + exitCodes

// execute parses a command line and executes its command. Errors of a command are
// *failure; all others are errors of the command line.
func (in *invocation) execute(ctx context.Context, args []string) error {
	root := in.root()
	root.SetArgs(withNameFirst(withTwoDashes(args)))
	return root.ExecuteContext(ctx)
}

// root builds the tree of commands.
func (in *invocation) root() *cobra.Command {
	root := &cobra.Command{
		Use: name, Long: about, Version: cmp.Or(in.Version, "unknown"), SilenceErrors: true, SilenceUsage: true, Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return unknownCommand(c, args[0])
		},
		SuggestionsMinimumDistance: 2,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetOut(in.out)
	root.SetErr(terminal.NewWriter(in.errOut))
	root.SetHelpFunc(in.help(root.HelpFunc()))
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w\nSee %s -h", err, c.CommandPath())
	})
	for _, c := range commands {
		root.AddCommand(in.build(c))
	}
	return root
}

// help writes help texts to the error output, so that they never mix with data.
func (in *invocation) help(write func(*cobra.Command, []string)) func(*cobra.Command, []string) {
	return func(c *cobra.Command, args []string) {
		c.SetOut(terminal.NewWriter(in.errOut))
		write(c, args)
	}
}

// build makes the command of an entry, with its subcommands.
func (in *invocation) build(c command) *cobra.Command {
	title, arguments, _ := strings.Cut(c.use, " ")
	built := &cobra.Command{Use: c.use, Short: c.summary, Long: strings.ToUpper(c.summary[:1]) + c.summary[1:] + ".", SilenceUsage: true}
	if c.example != "" {
		built.Example = "  " + name + " " + c.example
	}
	for _, sub := range c.commands {
		built.AddCommand(in.build(sub))
	}
	if c.setup == nil {
		built.Args = cobra.ArbitraryArgs
		built.RunE = func(b *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("%s needs a command. %s\nSee %s -h", title, c.usage, b.CommandPath())
			}
			return &failure{jobs.Invalid("", fmt.Sprintf("%s no command %q", c.what, args[0]), "There is no such command.", c.usage)}
		}
		// The error about the name goes before one about the flags.
		built.FParseErrWhitelist.UnknownFlags = true
		return built
	}
	do := c.setup(built.Flags(), in)
	built.Args = func(_ *cobra.Command, args []string) error {
		switch {
		case arguments == "" && len(args) > 0:
			return fmt.Errorf("%s takes no argument, but got %q", title, args[0])
		case arguments != "" && len(args) != 1:
			return fmt.Errorf("%s takes one argument: %s", title, arguments)
		}
		return nil
	}
	built.RunE = func(b *cobra.Command, args []string) error {
		in.arguments = args
		if err := do(b.Context()); err != nil {
			return &failure{err}
		}
		return nil
	}
	if c.argument != nil {
		built.ValidArgsFunction = in.complete(c.argument)
	}
	return built
}

// unknownCommand is the error for a command that does not exist.
func unknownCommand(root *cobra.Command, given string) error {
	next := "See " + name + " -h"
	if similar := root.SuggestionsFor(given); len(similar) > 0 {
		next = "Did you mean " + strings.Join(similar, " or ") + "?"
	}
	return fmt.Errorf("unknown command %q. %s", given, next)
}

var longWithOneDash = regexp.MustCompile(`^-[a-z][a-z-]+(=|$)`)

// withTwoDashes writes --flag for -flag, which earlier releases accepted. No flag of one
// letter can be combined with others.
func withTwoDashes(args []string) []string {
	out := make([]string, 0, len(args))
	for i, a := range args {
		if a == "--" {
			return append(out, args[i:]...)
		}
		if longWithOneDash.MatchString(a) {
			a = "-" + a
		}
		out = append(out, a)
	}
	return out
}

// withNameFirst moves the name of a subcommand before the flags: cobra takes a word that
// follows an unknown flag, such as drop in "quarantine --yes drop", for the flag's value.
func withNameFirst(args []string) []string {
	for _, c := range commands {
		if len(args) < 2 || c.use != args[0] || !strings.HasPrefix(args[1], "-") {
			continue
		}
		for i, a := range args[1:] {
			if slices.ContainsFunc(c.commands, func(sub command) bool { return sub.use == a }) {
				return slices.Concat(args[:1], args[i+1:i+2], args[1:i+1], args[i+2:])
			}
		}
	}
	return args
}

// completion returns the values that a positional argument can have.
type completion func(context.Context, jobs.API) ([]string, error)

// complete proposes the values of an argument in a shell. A store or a runner that cannot
// be reached has no proposals.
func (in *invocation) complete(values completion) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		found := []cobra.Completion{}
		ask := in.withOpenAPI(func(ctx context.Context) error {
			all, err := values(ctx, in.api)
			for _, v := range all {
				found = append(found, terminal.Line(v))
			}
			return err
		})
		if err := ask(c.Context()); err != nil {
			cobra.CompDebugln(err.Error(), false)
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

func jobNames(ctx context.Context, api jobs.API) (names []string, err error) {
	all, err := api.Jobs(ctx)
	for _, j := range all {
		names = append(names, cmp.Or(j.Label, j.ID))
	}
	return names, err
}

func streamNames(ctx context.Context, api jobs.API) (names []string, err error) {
	all, err := api.Streams(ctx)
	for _, s := range all {
		names = append(names, s.Name)
	}
	return names, err
}

func audienceNames(ctx context.Context, api jobs.API) (names []string, err error) {
	all, err := api.Audiences(ctx)
	for _, a := range all {
		names = append(names, cmp.Or(a.Slug, a.ID))
	}
	return names, err
}
