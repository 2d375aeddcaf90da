package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/term"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// progress shows a followed run.
type progress interface {
	moved(jobs.Run)
	// end takes what came of it, and gives what is left to report.
	end(error) error
}

// progress gives a bar on a terminal, JSON for programs, and lines otherwise.
func (in *invocation) progress() progress {
	if in.json {
		return &jsonProgress{in: in}
	}
	if f, ok := in.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &bar{out: f, pace: &pace{}, width: func() int {
			w, _, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 80
			}
			return w
		}}
	}
	return &lines{in: in, pace: &pace{}}
}

type jsonProgress struct {
	in  *invocation
	err error
}

func (p *jsonProgress) moved(r jobs.Run) {
	if p.err == nil {
		p.err = writeJSON(p.in, []jobs.Run{r})
	}
}

func (p *jsonProgress) end(err error) error {
	if err == nil {
		return p.err
	}
	return err
}

// lines prints a line a move.
type lines struct {
	in   *invocation
	pace *pace
	last string
	err  error
}

func (p *lines) moved(r jobs.Run) {
	line := fmt.Sprintf("%s  %s  %s", r.ID, r.Status, Describe(r))
	if !r.Status.Active() {
		line = ended(r)
	} else if rate := p.pace.of(r, time.Now()); rate != "" {
		line += ", " + rate
	}
	if line != p.last && p.err == nil {
		p.last = line
		_, p.err = fmt.Fprintln(p.in.out, line)
	}
}

func (p *lines) end(err error) error {
	if err == nil {
		return p.err
	}
	return err
}

// ended says how a run ended, in a line.
func ended(r jobs.Run) string {
	line := fmt.Sprintf("%s  %s  %s rows read, %s written in %s", r.ID, r.Status, humanize.Comma(r.RowsRead), humanize.Comma(r.RowsWritten), took(r))
	if rest := Describe(r); rest != "" && r.Failure.IsZero() {
		line += "; " + rest
	}
	return line
}

// bar redraws one line of a terminal.
type bar struct {
	out   *os.File
	pace  *pace
	width func() int
	shown bool
}

func (b *bar) moved(r jobs.Run) {
	b.shown = true
	_, _ = fmt.Fprint(b.out, "\r\x1b[K"+draw(r, b.pace.of(r, time.Now()), b.width()))
}

func (b *bar) end(err error) error {
	if b.shown {
		_, _ = fmt.Fprintln(b.out)
	}
	return err
}

// draw is a run in a line of a terminal of some width.
func draw(r jobs.Run, rate string, width int) string {
	text := Describe(r)
	if !r.Status.Active() {
		text = ended(r)
	} else if rate != "" {
		text += ", " + rate
	}
	const cells = 24
	if r.Status.Active() && r.Total > 0 {
		full := int(min(r.Done, r.Total) * cells / r.Total)
		text = "[" + strings.Repeat("#", full) + strings.Repeat(".", cells-full) + "] " + text
	}
	if runes := []rune(text); width > 1 && len(runes) >= width {
		text = string(runes[:width-2]) + "…"
	}
	return text
}

// pace measures how fast the present phase goes.
type pace struct {
	phase string
	begun time.Time
	from  int64
}

// of gives the rate and the time left, once there is something to measure.
func (p *pace) of(r jobs.Run, now time.Time) string {
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
