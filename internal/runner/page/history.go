package page

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// tick is the bar of one run in a strip.
type tick struct {
	X, Y, H int
	Status  jobs.Status
}

// strip is the small chart of the latest runs in a row of the list. The height
// of a bar is the number of rows written.
type strip struct {
	Ticks   []tick
	Summary string
}

const (
	stripHeight = 20
	stripStep   = 7
)

func newStrip(runs []jobs.Run) strip {
	s := strip{Summary: summary(runs)}
	top := axisTop(runs, func(r *jobs.Run) float64 { return float64(r.RowsWritten) })
	for i := range runs {
		h := 4
		switch {
		case runs[i].Status == jobs.StatusFailed, runs[i].Status.Active():
			h = stripHeight
		case runs[i].Status == jobs.StatusSucceeded:
			h += int(min(float64(runs[i].RowsWritten)/top, 1) * (stripHeight - 4))
		}
		s.Ticks = append(s.Ticks, tick{X: (stripRuns - len(runs) + i) * stripStep, Y: stripHeight - h, H: h, Status: runs[i].Status})
	}
	return s
}

// summary describes runs in words, as the text alternative of a chart.
func summary(runs []jobs.Run) string {
	if len(runs) == 0 {
		return "no runs yet"
	}
	var parts []string
	for _, st := range []jobs.Status{jobs.StatusSucceeded, jobs.StatusFailed, jobs.StatusCancelled, jobs.StatusMissed} {
		n := 0
		for i := range runs {
			if runs[i].Status == st {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, st))
		}
	}
	if runs[len(runs)-1].Status.Active() {
		parts = append(parts, "1 active")
	}
	head := "last run: "
	if len(runs) > 1 {
		head = fmt.Sprintf("last %d runs: ", len(runs))
	}
	return head + strings.Join(parts, ", ")
}

// bar is one run in a plot. X and Width are percentages, Y and H pixels.
type bar struct {
	Run      jobs.Run
	X, Width float64
	Y, H     float64
	// Cut is whether the value is above the top of the axis, so that the bar is
	// cut off.
	Cut   bool
	At    time.Time
	Title string
}

// plot is the chart of one value over the runs.
type plot struct {
	Name   string
	Height float64
	Bars   []bar
	// Top and Middle label the axis. A plot of zeros has neither: its axis has only 0.
	Top, Middle string
}

// flat reports whether all values are zero.
func (p plot) flat() bool { return !slices.ContainsFunc(p.Bars, func(b bar) bool { return b.H > 0 }) }

// Base is the position of the plot's base line.
func (p plot) Base() float64 { return p.Height - 0.5 }

// Mid is the horizontal typicalRun of the bar, as a percentage.
func (b bar) Mid() float64 { return round(b.X + b.Width/2) }

// MarkY is the position, above the bar, of the mark of a run that did not
// succeed.
func (b bar) MarkY() float64 { return max(b.Y-8, 6) }

// history has the charts of a job's runs.
type history struct {
	Rows, Duration plot
	Summary        string
	// First and Last are the times of the first and the last run in the charts.
	// First is nil if the charts do not fill their width.
	First *time.Time
	Last  time.Time
}

const (
	// chartSlots is the smallest number of slots in a chart, so that the bars of a
	// few runs are not too wide.
	chartSlots = 30
	// chartRuns is the largest number of runs in a chart.
	chartRuns = 80
)

// newHistory returns the charts of runs, which are sorted oldest first.
func newHistory(runs []jobs.Run, now time.Time) *history {
	if len(runs) == 0 {
		return nil
	}
	runs = runs[max(len(runs)-chartRuns, 0):]
	h := &history{Summary: summary(runs), Last: when(&runs[len(runs)-1])}
	if first := when(&runs[0]); len(runs) >= chartSlots {
		h.First = &first
	}
	rows := func(r *jobs.Run) float64 { return float64(r.RowsWritten) }
	seconds := func(r *jobs.Run) float64 { return runDuration(r, now).Seconds() }
	h.Rows = draw(runs, "Rows written", 112, rows, now)
	h.Duration = draw(runs, "Duration", 64, seconds, now)
	topRows, topSeconds := axisTop(runs, rows), axisTop(runs, seconds)
	if !h.Rows.flat() {
		h.Rows.Top, h.Rows.Middle = count(int64(topRows)), count(int64(topRows/2))
		if topRows < 2 {
			h.Rows.Middle = "" // there is no half of a row
		}
	}
	at := func(s float64) string { return duration(time.Duration(s * float64(time.Second))) }
	if !h.Duration.flat() {
		h.Duration.Top, h.Duration.Middle = at(topSeconds), at(topSeconds/2)
	}
	if m := typicalRun(runs, rows); m != "" {
		h.Summary += "; " + m
	}
	return h
}

// typicalRun describes the median run.
func typicalRun(runs []jobs.Run, of func(*jobs.Run) float64) string {
	var rows []float64
	var long []time.Duration
	for i := range runs {
		if runs[i].Status == jobs.StatusSucceeded {
			rows = append(rows, of(&runs[i]))
			long = append(long, runDuration(&runs[i], time.Time{}))
		}
	}
	if len(rows) < 3 {
		return ""
	}
	slices.Sort(rows)
	slices.Sort(long)
	return fmt.Sprintf("usually %s rows in %s", count(int64(rows[len(rows)/2])), duration(long[len(long)/2]))
}

func draw(runs []jobs.Run, name string, height float64, of func(*jobs.Run) float64, now time.Time) plot {
	p := plot{Name: name, Height: height}
	top := axisTop(runs, of)
	slots := max(len(runs), chartSlots)
	width := 100 / float64(slots)
	for i := range runs {
		r := &runs[i]
		v := of(r)
		h := math.Round(min(v/top, 1) * (height - 2))
		if v > 0 {
			h = max(h, 2)
		}
		p.Bars = append(p.Bars, bar{
			Run: *r, X: round(width * (float64(slots-len(runs)+i) + 0.14)), Width: round(width * 0.72),
			Y: height - h, H: h, Cut: v > top*1.001, At: when(r),
			Title: fmt.Sprintf("%s, %s rows in %s", statusText(r.Status), exact(r.RowsWritten), duration(runDuration(r, now))),
		})
	}
	return p
}

func round(v float64) float64 { return math.Round(v*1000) / 1000 }

// axisTop is the upper end of an axis: a round number above the largest value.
// If a few runs are much larger than all others, as a first run often is,
// axisTop ignores them, and their bars are cut.
func axisTop(runs []jobs.Run, of func(*jobs.Run) float64) float64 {
	values := make([]float64, 0, len(runs))
	for i := range runs {
		if v := of(&runs[i]); v > 0 {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return 1
	}
	slices.Sort(values)
	top := values[len(values)-1]
	if usual := values[(len(values)-1)*9/10]; len(values) >= 8 && top > 4*usual {
		top = usual * 1.25
	}
	step := math.Pow(10, math.Floor(math.Log10(top)))
	for _, m := range []float64{1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10} {
		if m*step >= top*0.9999 {
			return m * step
		}
	}
	return 10 * step
}
