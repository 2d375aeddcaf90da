package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/term"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/terminal"
)

// progress shows the progress of a run.
type progress interface {
	update(jobs.Run)
	// finish ends the output. It returns err, or else an error of the output.
	finish(error) error
}

// onTerminal reports whether the output is a terminal.
func (in *invocation) onTerminal() bool {
	f, ok := in.screen.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// progress is a bar on a terminal, JSON with --json, and lines otherwise.
func (in *invocation) progress() progress {
	if in.json {
		return &jsonProgress{in: in}
	}
	if f, ok := in.screen.(*os.File); ok && in.onTerminal() {
		return &barProgress{out: f, pace: &rateMeter{}, width: func() int {
			w, _, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 80
			}
			return w
		}}
	}
	return &lineProgress{in: in, pace: &rateMeter{}}
}

type jsonProgress struct {
	in  *invocation
	err error
}

func (p *jsonProgress) update(r jobs.Run) {
	if p.err == nil {
		p.err = writeJSON(p.in, []jobs.Run{r})
	}
}

func (p *jsonProgress) finish(err error) error {
	if err == nil {
		return p.err
	}
	return err
}

// lineEvery is how often a line is printed while a phase lasts: a log of a CI job should
// not have a line for every second.
const lineEvery = 10 * time.Second

// lineProgress prints a line for each change of status or phase, when the rate of a phase
// is known, and then every lineEvery.
type lineProgress struct {
	in     *invocation
	pace   *rateMeter
	status jobs.Status
	phase  string
	rated  bool
	at     time.Time
	last   string
	err    error
}

func (p *lineProgress) update(r jobs.Run) {
	now := time.Now()
	line := fmt.Sprintf("%s  %s  %s", r.ID, r.Status, Describe(r))
	rate := ""
	if !r.Status.Active() {
		line = describeEnd(r)
	} else if rate = p.pace.rate(r, now); rate != "" {
		line += ", " + rate
	}
	changed := r.Status != p.status || r.Phase != p.phase
	if changed {
		p.status, p.phase, p.rated = r.Status, r.Phase, false
	}
	due := changed || rate != "" && !p.rated || now.Sub(p.at) >= lineEvery
	p.rated = p.rated || rate != ""
	if due && line != p.last && p.err == nil {
		p.last, p.at = line, now
		_, p.err = fmt.Fprintln(p.in.out, terminal.Line(line))
	}
}

func (p *lineProgress) finish(err error) error {
	if err == nil {
		return p.err
	}
	return err
}

// describeEnd says in one line how a run ended.
func describeEnd(r jobs.Run) string {
	line := fmt.Sprintf("%s  %s  %s rows read, %s written in %s", r.ID, r.Status, humanize.Comma(r.RowsRead),
		humanize.Comma(r.RowsWritten), formatDuration(r))
	if rest := Describe(r); rest != "" && r.Failure.IsZero() {
		line += "; " + rest
	}
	return line
}

// barProgress redraws one line of a terminal.
type barProgress struct {
	out   *os.File
	pace  *rateMeter
	width func() int
	shown bool
}

func (b *barProgress) update(r jobs.Run) {
	b.shown = true
	_, _ = fmt.Fprint(b.out, "\r\x1b[K"+progressLine(r, b.pace.rate(r, time.Now()), b.width()))
}

func (b *barProgress) finish(err error) error {
	if b.shown {
		_, _ = fmt.Fprintln(b.out)
	}
	return err
}

// progressLine shows a run in a terminal line of the given width.
func progressLine(r jobs.Run, rate string, width int) string {
	text := Describe(r)
	if !r.Status.Active() {
		text = describeEnd(r)
	} else if rate != "" {
		text += ", " + rate
	}
	const cells = 24
	if r.Status.Active() && r.Total > 0 {
		full := int(min(r.Done, r.Total) * cells / r.Total)
		text = "[" + strings.Repeat("#", full) + strings.Repeat(".", cells-full) + "] " + text
	}
	text = terminal.Line(text)
	if runes := []rune(text); width > 1 && len(runes) >= width {
		text = string(runes[:width-2]) + "…"
	}
	return text
}

// rateMeter measures the rate of the current phase.
type rateMeter struct {
	phase string
	begun time.Time
	from  int64
}

// rate gives the rate and the time left, or "" in the first second of a phase.
func (p *rateMeter) rate(r jobs.Run, now time.Time) string {
	if r.Phase != p.phase || r.Done < p.from {
		p.phase, p.begun, p.from = r.Phase, now, r.Done
		return ""
	}
	took := now.Sub(p.begun).Seconds()
	if took < 1 || r.Done == p.from {
		return ""
	}
	rate := float64(r.Done-p.from) / took
	text := humanize.Comma(int64(rate)) + "/s"
	if r.Total > r.Done {
		left := time.Duration(float64(r.Total-r.Done) / rate * float64(time.Second)).Round(time.Second)
		text += fmt.Sprintf(", %s left", left)
	}
	return text
}
