package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// maxLogLines bounds the log lines of one attempt of a run. The line that says
// how the attempt ended is always written.
const maxLogLines = 500

// runLog collects a run's log lines until the next heartbeat writes them.
type runLog struct {
	lines []logLine
	said  int
	last  string
}

type logLine struct {
	at             time.Time
	level, message string
	// phase is the phase that begins with the line; "" for none.
	phase string
}

// phase adds a line for a new phase. The text in brackets behind a phase's name
// is progress, and adds no line.
func (l *runLog) phase(name string) {
	head, _, _ := strings.Cut(name, " (")
	if name == "" || head == l.last {
		return
	}
	l.last = head
	l.append(logLine{at: time.Now(), level: store.LogInfo, message: name, phase: head})
}

func (l *runLog) add(level, message string) {
	l.append(logLine{at: time.Now(), level: level, message: message})
}

func (l *runLog) append(line logLine) {
	switch l.said++; {
	case l.said == maxLogLines:
		line.message = fmt.Sprintf("The log of this attempt has %d lines; what follows is left out, except how it ends.", maxLogLines)
	case l.said > maxLogLines && line.level == store.LogInfo:
		return
	case l.said > 2*maxLogLines:
		return
	}
	line.message, line.phase = redact.Text(line.message), redact.Text(line.phase)
	l.lines = append(l.lines, line)
}

// end adds the line that says how the attempt ended, beyond maxLogLines too.
func (l *runLog) end(level, message string) {
	l.said = 0
	l.add(level, message)
}

func (l *runLog) take() []logLine {
	lines := l.lines
	l.lines = nil
	return lines
}

func (l *runLog) putBack(lines []logLine) { l.lines = append(lines, l.lines...) }

func entries(lines []logLine) []store.LogEntry {
	out := make([]store.LogEntry, len(lines))
	for i, l := range lines {
		out[i] = store.LogEntry{Age: time.Since(l.at), Level: l.level, Message: l.message, Phase: l.phase}
	}
	return out
}

// RunLog implements jobs.Runs.
func (e *Engine) RunLog(ctx context.Context, runID string) ([]jobs.LogLine, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return nil, err
	}
	if _, err := db.Run(ctx, runID); err != nil {
		return nil, err
	}
	return db.RunLog(ctx, runID)
}
