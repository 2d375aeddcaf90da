package page

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// tick is one run in a row's small picture.
type tick struct {
	X, Y, H int
	Status  jobs.Status
}

// strip is the small picture: a run is as high as the rows it wrote.
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
	top := ceiling(runs, func(r *jobs.Run) float64 { return float64(r.RowsWritten) })
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

// summary says in words what a picture of runs shows.
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

// bar is one run in a plot; X and Width are percents, Y and H pixels.
type bar struct {
	Run      jobs.Run
	X, Width float64
	Y, H     float64
	// Cut marks a bar that is higher than the plot.
	Cut   bool
	At    time.Time
	Title string
}

// plot is one series of the history.
type plot struct {
	Name   string
	Height float64
	Bars   []bar
	// Top and Middle label the axis.
	Top, Middle string
}

// Base is where the plot's lowest line is.
func (p plot) Base() float64 { return p.Height - 0.5 }

// Mid is the middle of a bar, in percents.
func (b bar) Mid() float64 { return round(b.X + b.Width/2) }

// MarkY is where the mark of a run that did not succeed is: over its bar.
func (b bar) MarkY() float64 { return max(b.Y-8, 6) }

// history is the picture of a job's runs.
type history struct {
	Rows, Duration plot
	Summary        string
	// First and Last are when the runs at the ends began; First is nil where
	// the picture's left is empty.
	First *time.Time
	Last  time.Time
}

// chartSlots is the least number of places: three runs are no wall.
const (
	chartSlots = 30
	chartRuns  = 80
)

// newHistory draws the runs, oldest first.
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
	topRows, topSeconds := ceiling(runs, rows), ceiling(runs, seconds)
	h.Rows.Top, h.Rows.Middle = count(int64(topRows)), count(int64(topRows/2))
	at := func(s float64) string { return duration(time.Duration(s * float64(time.Second))) }
	h.Duration.Top, h.Duration.Middle = at(topSeconds), at(topSeconds/2)
	if m := middle(runs, rows); m != "" {
		h.Summary += "; " + m
	}
	return h
}

// middle says what a usual run does.
func middle(runs []jobs.Run, of func(*jobs.Run) float64) string {
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
	top := ceiling(runs, of)
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
			Title: fmt.Sprintf("%s, %s rows in %s", word(r.Status), exact(r.RowsWritten), duration(runDuration(r, now))),
		})
	}
	return p
}

func round(v float64) float64 { return math.Round(v*1000) / 1000 }

// ceiling is the top of an axis: a round number over the highest value, unless
// a few runs, as the first one that reads everything, dwarf all others. Those are
// cut and say so.
func ceiling(runs []jobs.Run, of func(*jobs.Run) float64) float64 {
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
