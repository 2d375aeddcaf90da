package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Reference writes the help of all commands as Markdown.
func Reference(w io.Writer) error {
	in := &invocation{out: io.Discard, screen: io.Discard, errOut: io.Discard}
	root := in.root()
	_, err := fmt.Fprintf(w, "# Command line\n\nWritten by `make generate`.\n\n%s\n\n"+
		"`%s completion bash|zsh|fish|powershell` prints a script that completes commands, flags, and the names of jobs, streams and audiences.\n",
		about, name)
	if err != nil {
		return err
	}
	return referenceOf(w, root)
}

func referenceOf(w io.Writer, parent *cobra.Command) error {
	for _, c := range parent.Commands() {
		if c.HasSubCommands() {
			if err := referenceOf(w, c); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(w, "\n## %s\n\n%s\n\n```\n%s```\n", c.CommandPath(), c.Long, c.UsageString()); err != nil {
			return err
		}
	}
	return nil
}
