package engine

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

func texts(l *runLog) (all []string) {
	for _, e := range entries(l.take()) {
		all = append(all, e.Level+" "+e.Message)
	}
	return all
}

func TestRunLogHasEachPhaseOnce(t *testing.T) {
	t.Parallel()
	var l runLog
	for _, phase := range []string{"connecting", "waiting for the warehouse to start (1s)", "waiting for the warehouse to start (2s)", "reading rows", "reading rows", ""} {
		l.phase(phase)
	}
	if got := strings.Join(texts(&l), "|"); got != "info connecting|info waiting for the warehouse to start (1s)|info reading rows" {
		t.Error(got)
	}
}

// A log that is too long is cut. It says so, and still ends with the result of
// the run.
func TestRunLogIsBounded(t *testing.T) {
	t.Parallel()
	var l runLog
	for i := range 10 * maxLogLines {
		l.add(store.LogInfo, fmt.Sprint("line ", i))
	}
	l.end(store.LogError, "it failed")
	got := texts(&l)
	if len(got) != maxLogLines+1 || !strings.Contains(got[maxLogLines-1], "left out") || got[maxLogLines] != "error it failed" {
		t.Errorf("%d lines, the last ones %v", len(got), got[len(got)-2:])
	}
}

// checklist 43
func TestRunLogHasNoSecret(t *testing.T) {
	t.Parallel()
	secret := jobs.NewSecret("dapi-canary")
	l := runLog{}
	l.add(store.LogInfo, "sent dapi-canary to the host")
	l.end(store.LogError, "the host said: dapi-canary is wrong")
	if got := strings.Join(texts(&l), "|"); strings.Contains(got, "canary") || strings.Count(got, "[redacted]") != 2 {
		t.Error(got)
	}
	runtime.KeepAlive(secret)
}

func TestWaitsBetweenAttemptsGrowAndEnd(t *testing.T) {
	t.Parallel()
	least := attempts.First / 2
	for attempt := 1; attempt < attempts.Attempts; attempt++ {
		most := min(2*least, attempts.Longest)
		if wait := attempts.Pause(attempt); wait < least || wait > most {
			t.Errorf("attempt %d: got a wait of %s, want one from %s to %s", attempt, wait, least, most)
		}
		least = min(4*least, attempts.Longest/2)
	}
	if least != attempts.Longest/2 {
		t.Errorf("the last wait is from %s on, want the longest", least)
	}
}
