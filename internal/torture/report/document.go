package main

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// introduction is the part of the document that is written by hand.
//
//go:embed introduction.md
var introduction string

// render makes the document.
func render(results []torture.Record, tests map[int][]torture.Shown) string {
	before, after, _ := strings.Cut(introduction, "<!-- table -->\n")
	var b strings.Builder
	b.WriteString(before)
	b.WriteString(table(results))
	b.WriteString(after)
	b.WriteString(catalogue(tests))
	return b.String()
}

// table is the table of results.
func table(records []torture.Record) string {
	var b strings.Builder
	b.WriteString("| what was done to it | tried | lost rows | doubled rows | wrong states | took | measured " +
		"|\n|---|---:|---:|---:|---:|---:|---|\n")
	for _, r := range sorted(records) {
		what := r.Figure
		if r.Note != "" {
			what += " (" + r.Note + ")"
		}
		fmt.Fprintf(&b, "| %s | %s %s | %d | %d | %d | %s | %s |\n", cell(what), thousands(r.Tried), r.Unit, r.Lost, r.Doubled, r.Wrong,
			(time.Duration(r.Seconds) * time.Second).String(), measured(r))
	}
	return b.String()
}

// measured says when and where a result was measured, and whether all of it was tried.
func measured(r torture.Record) string {
	text := r.At
	if r.Commit != "" {
		text += ", commit " + r.Commit
	}
	text += fmt.Sprintf(", %d cores", r.Cores)
	if r.Load > 0 {
		text += fmt.Sprintf(", load %.0f", r.Load)
	}
	if r.Level != torture.Whole {
		text += ", a " + string(r.Level)
	}
	return text
}

// catalogue is the table of the failure catalogue, with the tests that show each number.
func catalogue(tests map[int][]torture.Shown) string {
	var b strings.Builder
	section := ""
	for _, f := range torture.Catalogue() {
		if f.Section != section {
			section = f.Section
			fmt.Fprintf(&b, "\n### %s\n\n| | failure | what is owed | shown by |\n|---:|---|---|---|\n", section)
		}
		var shown []string
		for _, s := range tests[f.Number] {
			name := s.Test
			if name == "" {
				name = "a file of tests"
			}
			shown = append(shown, fmt.Sprintf("%s in `%s`", name, s.Folder))
		}
		if len(shown) == 0 {
			shown = []string{"no test yet"}
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s |\n", f.Number, cell(f.Failure), cell(f.Owed), strings.Join(shown, "<br>"))
	}
	return b.String()
}

// cell keeps a text inside its cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// thousands writes a number with commas.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
