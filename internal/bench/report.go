package main

import (
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// amount formats a figure with its unit for a table.
func amount(v float64, unit string) string {
	switch {
	case unit == "rows/s" && v >= 1e6:
		return fmt.Sprintf("%.2f M/s", v/1e6)
	case unit == "rows/s":
		return fmt.Sprintf("%.0f k/s", v/1e3)
	case unit == "bytes":
		return fmt.Sprintf("%.1f %s", v, unit)
	case unit == "MiB" || unit == "rows":
		return fmt.Sprintf("%.0f %s", v, unit)
	}
	return fmt.Sprintf("%.2f %s", v, unit)
}

func short(rows int) string {
	if rows%1_000_000 == 0 {
		return fmt.Sprintf("%d M", rows/1_000_000)
	}
	return fmt.Sprintf("%d k", rows/1_000)
}

func (b *bench) print(w io.Writer) {
	missed := 0
	for _, f := range b.figures {
		mark := "met    "
		if !f.met() {
			mark, missed = "not met", missed+1
		}
		_, _ = fmt.Fprintln(w, mark, f.line())
	}
	if missed > 0 {
		_, _ = fmt.Fprintf(w, "%d of %d goals are missed\n", missed, len(b.figures))
	}
}

// section is a part of the page below the table of figures, under a heading.
type section struct{ title, text string }

// replaceSections puts sections before the other ones of a page, in place of those of
// the same titles. further begins with a heading, or is empty.
func replaceSections(further string, sections []section) string {
	var out strings.Builder
	for _, s := range sections {
		out.WriteString("\n## " + s.title + "\n\n" + s.text)
	}
	for _, part := range strings.Split(further, "\n## ")[1:] {
		title, _, _ := strings.Cut(part, "\n")
		if !slices.ContainsFunc(sections, func(s section) bool { return s.title == title }) {
			out.WriteString("\n## " + part)
		}
	}
	return out.String()
}

// write writes the page of the documentation and its chart. It keeps the
// sections of the page that other commands measure.
func (b *bench) write(page, picture string) error {
	var further string
	switch text, err := os.ReadFile(page); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		if _, rest, found := strings.Cut(string(text), "\n## "); found {
			further = "\n## " + rest
		}
	}
	var t strings.Builder
	t.WriteString("# Measured\n\n")
	fmt.Fprintf(&t, "`make bench`, %s, on %s.\n\n", time.Now().UTC().Format(time.DateOnly), machine())
	t.WriteString("Each figure is a ratio to a floor that was measured on the same machine in the same run. " +
		"Every measurement is a separate process, so that CPU time and memory are the product's alone; rates are rows per CPU-second of " +
		"that process.\n\n")
	t.WriteString("![Each figure against its goal](benchmarks.svg)\n\n")
	t.WriteString("| figure | measured | floor | | ratio | goal | |\n|---|---|---|---|---|---|---|\n")
	for _, f := range b.figures {
		mark := "met"
		if f.Goal == 0 {
			mark = ""
		} else if !f.met() {
			mark = "**missed**"
		}
		note := f.Name
		if f.Note != "" {
			note += " (" + f.Note + ")"
		}
		fmt.Fprintf(
			&t,
			"| %s | %s | %s | %s | %.3f | %s | %s |\n",
			note,
			amount(f.Measured, f.Unit),
			f.Floor,
			amount(f.Base, f.Unit),
			f.Ratio,
			f.goal(),
			mark,
		)
	}
	fmt.Fprintf(
		&t,
		"\nRows have ten columns and about 120 bytes. The usual import and export have %s rows, the large ones %s.\n",
		short(b.options.rows),
		short(b.options.large),
	)
	t.WriteString(replaceSections(further, b.sections))
	if err := os.WriteFile(page, []byte(t.String()), 0o644); err != nil { //nolint:gosec // documentation
		return err
	}
	return os.WriteFile(picture, []byte(b.picture()), 0o644) //nolint:gosec // documentation
}

// picture draws a bar for each ratio, and a mark at its goal. The scale ends at
// twice the goal.
func (b *bench) picture() string {
	const (
		left, width, row, top = 430, 420, 30, 46
	)
	var figures []figure
	for _, f := range b.figures {
		if f.Goal > 0 {
			figures = append(figures, f)
		}
	}
	height := top + row*len(figures) + 14
	var s strings.Builder
	fmt.Fprintf(
		&s,
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="Benchmarks: each ratio against its goal">`+"\n",
		left+width+90,
		height,
	)
	s.WriteString(`<style>text{fill:#24292f}.bg{fill:#fff}.met{fill:#2da44e}.missed{fill:#cf222e}.goal{stroke:#24292f;stroke-width:2}` +
		`@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bg{fill:#0d1117}.goal{stroke:#e6edf3}}</style>` + "\n")
	fmt.Fprintf(&s, `<rect class="bg" width="%d" height="%d"/>`+"\n", left+width+90, height)
	fmt.Fprintf(&s, `<text x="%d" y="24" font-weight="600">Ratio to the floor; the line is the goal</text>`+"\n", left)
	for i, f := range figures {
		y := top + i*row
		bar := math.Min(f.Ratio/f.Goal/2, 1) * width
		class := "met"
		if !f.met() {
			class = "missed"
		}
		fmt.Fprintf(&s, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", left-10, y+15, html.EscapeString(f.Name))
		fmt.Fprintf(&s, `<rect class="%s" x="%d" y="%d" width="%.1f" height="18" rx="3"/>`+"\n", class, left, y+1, math.Max(bar, 1))
		fmt.Fprintf(&s, `<line class="goal" x1="%d" y1="%d" x2="%d" y2="%d"/>`+"\n", left+width/2, y-2, left+width/2, y+22)
		fmt.Fprintf(
			&s,
			`<text x="%d" y="%d">%.3g (%s)</text>`+"\n",
			left+width+8,
			y+15,
			f.Ratio,
			html.EscapeString(strings.NewReplacer(">=", "≥", "<=", "≤").Replace(f.goal())),
		)
	}
	s.WriteString("</svg>\n")
	return s.String()
}

// machine describes the machine of the measurements.
func machine() string {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	text := fmt.Sprintf("%d cores (%s), %s, %s", runtime.NumCPU(), model, runtime.GOOS, runtime.Version())
	if commit, err := exec.Command("git", "describe", "--always", "--dirty").Output(); err == nil { //nolint:noctx // quick and local
		text += ", commit " + strings.TrimSpace(string(commit))
	}
	return text
}
