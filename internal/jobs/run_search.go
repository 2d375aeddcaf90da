package jobs

import (
	"regexp"
	"time"
)

// RunSearch selects runs for the page, of all jobs of a store; zero fields select all.
type RunSearch struct {
	// JobIDs selects the runs of these jobs.
	JobIDs   []string
	Statuses []Status
	Reasons  []Reason
	// From and Until bound the time at which a run was created: From is included,
	// Until is not.
	From, Until time.Time
	// Problem selects failed runs whose failure has this problem: see ProblemOf.
	Problem string
	// Text selects runs whose failure has the text, in any case.
	Text string
	// Before and After continue a list: RunPage.Older and RunPage.Newer of another page.
	Before, After string
	// Limit is the largest number of runs of a page; 0 means 100.
	Limit int
}

// RunPage is a page of the runs that a RunSearch selects, newest first.
type RunPage struct {
	Runs []Run
	// Total counts the runs of all pages, up to MostCounted.
	Total int64
	// Older and Newer are the Before and the After of the pages next to this one; ""
	// if there is none.
	Older, Newer string
}

// MostCounted is where RunPage.Total stops to count.
const MostCounted = 100_000

// RunGroup is the failed runs that have the same problem.
type RunGroup struct {
	// Problem is the RunSearch.Problem that selects them.
	Problem string
	// Summary is the summary of all of them, or the problem if they differ in a name.
	Summary string
	Runs    int64
	// JobIDs are the jobs that they are of.
	JobIDs []string
	// First and Last are when the first and the last of them was created.
	First, Last time.Time
}

// PhaseStart is the beginning of a phase of a run.
type PhaseStart struct {
	Name string
	At   time.Time
}

// JobVersion is a definition that a job had from a time on.
type JobVersion struct {
	At time.Time
	// Actor is who wrote it; "" if that is not known.
	Actor string
	JobSpec
}

// named matches what differs between failures that have the same problem: quoted text,
// names with dots, ids and numbers.
var named = regexp.MustCompile("`[^`]*`" + `|"[^"]*"|\b\w[\w-]*(?:\.\w[\w-]*)+(?::\d+)?|\b(?:job|run|auth)_\w+|\b\d[\d,]*\b`)

// ProblemOf returns the summary of a failure without the names and numbers of the one
// run, so that equal failures of different jobs have the same problem.
func ProblemOf(summary string) string { return named.ReplaceAllString(summary, "…") }
