package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/terminal"
)

// columns is a table without lines. On a terminal, its rows end at the terminal's width,
// so that each stays one line; a file or a pipe gets them whole.
type columns struct {
	in    *invocation
	table table.Writer
	// width is that of the terminal, in cells; 0 is none.
	width int
}

// table begins a table with the names of its columns. The longest texts belong into the
// last column, because rows are cut at their end.
func (in *invocation) table(names ...string) columns {
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	c := columns{in: in, table: table.NewWriter(), width: in.width()}
	c.table.SetStyle(style)
	c.table.SuppressTrailingSpaces()
	c.row(names...)
	return c
}

// row adds a row. Characters that a terminal obeys are escaped before the widths are
// computed.
func (c columns) row(cells ...string) {
	row := make(table.Row, len(cells))
	for i, cell := range cells {
		row[i] = terminal.Line(cell)
	}
	c.table.AppendRow(row)
}

// print writes the table.
func (c columns) print() error {
	for line := range strings.SplitSeq(c.table.Render(), "\n") {
		if c.width > 0 {
			line = text.Snip(line, c.width, "…")
		}
		if _, err := fmt.Fprintln(c.in.out, line); err != nil {
			return err
		}
	}
	return nil
}

// width is the width of the terminal in cells; 0 if the output is none.
func (in *invocation) width() int {
	f, ok := in.screen.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}
