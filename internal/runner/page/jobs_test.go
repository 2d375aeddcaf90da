package page_test

import (
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
)

// product is a fake of jobs.API with the objects of the test. It does not
// execute runs: the test sets their progress and their end.
type product struct {
	*jobstest.Fake
	env   *jobstest.Environment
	store *jobstest.Store
	// failures has the errors of methods that fail, by the method's name.
	failures map[string]error
	// calls counts the calls of each method.
	calls map[string]int
}

func newProduct() *product {
	f := jobstest.New()
	p := &product{Fake: f, env: f.Environment(), failures: map[string]error{}, calls: map[string]int{}}
	p.env.Change(func() {
		p.store = p.env.Only()
		p.env.Intercept = func(c *jobstest.Call) (bool, error) {
			p.calls[c.Method]++
			err := p.failures[c.Method]
			return err != nil, err
		}
	})
	return p
}

// fail makes a method fail from now on.
func (p *product) fail(method string, err error) {
	p.env.Change(func() { p.failures[method] = err })
}

// called returns how often a method was called.
func (p *product) called(method string) (n int) {
	p.env.Change(func() { n = p.calls[method] })
	return n
}

// add stores a job and returns its id. The ids count up from job_0001.
func (p *product) add(j jobs.Job) string {
	p.env.Change(func() {
		j.ID = fmt.Sprintf("job_%04d", len(p.store.Jobs)+1)
		p.store.Jobs[j.ID] = j
	})
	return j.ID
}

// addRun stores a run that succeeded, after applying change if it is not nil.
func (p *product) addRun(jobID string, began time.Time, took time.Duration, rows int64, change func(*jobs.Run)) string {
	end := began.Add(took)
	r := jobs.Run{
		JobID: jobID, Status: jobs.StatusSucceeded, Reason: jobs.ReasonSchedule, Attempt: 1,
		Runner: "runner-1", CreatedAt: began, StartedAt: &began, FinishedAt: &end,
		Counts: jobs.Counts{RowsRead: rows, RowsWritten: rows, Bytes: rows * 412, Snapshot: "version 812", Watermark: &began},
	}
	p.env.Change(func() {
		r.ID = fmt.Sprintf("run_%05d", len(p.store.Runs)+1)
		if change != nil {
			change(&r)
		}
		p.store.Runs = append(p.store.Runs, r)
	})
	return r.ID
}

// changeRun changes a run.
func (p *product) changeRun(runID string, change func(*jobs.Run)) {
	p.env.Change(func() {
		for i := range p.store.Runs {
			if p.store.Runs[i].ID == runID {
				change(&p.store.Runs[i])
			}
		}
	})
}

// log adds a line to a run's log.
func (p *product) log(runID string, at time.Time, level, format string, args ...any) {
	p.env.Change(func() {
		p.store.Logs[runID] = append(p.store.Logs[runID], jobs.LogLine{At: at, Level: level, Message: fmt.Sprintf(format, args...)})
	})
}

// lastRun returns a copy of a job's newest run.
func (p *product) lastRun(jobID string) (last jobs.Run) {
	p.env.Change(func() {
		for _, r := range p.store.Runs {
			if r.JobID == jobID {
				last = r
			}
		}
	})
	return last
}

// activeRun returns the id of a job's active run, or "".
func (p *product) activeRun(jobID string) string {
	if last := p.lastRun(jobID); last.Status.Active() {
		return last.ID
	}
	return ""
}
