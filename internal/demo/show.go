package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
)

func comma(n int64) string { return humanize.Comma(n) }

// cellWidth is the largest number of characters shown of a cell.
const cellWidth = 36

// table prints the result of a statement.
func (s *session) table(ctx context.Context, statement string) error {
	columns, cells, err := s.sandbox.query(ctx, statement)
	if err != nil {
		return err
	}
	s.out.print("\n  %s\n", s.out.dim(statement))
	w := tabwriter.NewWriter(s.out.w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "  "+strings.Join(columns, "\t"))
	for _, line := range cells {
		short := make([]string, len(line))
		for i, cell := range line {
			short[i] = cell
			if r := []rune(strings.ReplaceAll(cell, "\n", `\n`)); len(r) > cellWidth {
				short[i] = string(r[:cellWidth-1]) + "…"
			}
		}
		_, _ = fmt.Fprintln(w, "  "+strings.Join(short, "\t"))
	}
	return w.Flush()
}

// quickstart is the demo of examples/quickstart with generated customers.
func quickstart(rows int) demo {
	return demo{
		then:        keptUpdated,
		thenExample: "kept-updated",
		thenDir:     "kept-updated",
		title:       fmt.Sprintf("Lytics and Databricks on this machine: %s customers", comma(int64(rows))),
		example:     "quickstart",
		sandboxArgs: []string{"-seed", "-seed-rows", fmt.Sprint(rows)},
		show: func(ctx context.Context, s *session) error {
			const table = "main.sales.lytics_user_vip_customers"
			if err := s.table(ctx, "SELECT count(*) AS exported FROM "+table); err != nil {
				return err
			}
			return s.table(ctx, "SELECT * FROM "+table+" ORDER BY email LIMIT 5")
		},
	}
}
