package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

var errCutOff = errors.New("the answer ended before it was complete")

const (
	// silenceTimeout is how long a connection may be silent before the client
	// closes it and reconnects.
	silenceTimeout = 30 * time.Second
	// reconnectTimeout is how long WaitRun tries to reach a runner that does not
	// answer.
	reconnectTimeout = 5 * time.Minute
	// maxMalformed is how many events in a row WaitRun cannot read before it gives up.
	maxMalformed = 5
	// cancelTimeout bounds the request that cancels a run.
	cancelTimeout = 5 * time.Second
)

// WaitRun implements jobs.Runs. A lost connection does not stop the run, so
// WaitRun reconnects when the runner answers again.
func (c *Client) WaitRun(ctx context.Context, runID string, changed func(jobs.Run)) (jobs.Run, error) {
	f := &follower{c: c, runID: runID, changed: changed, heard: time.Now()}
	for {
		err := f.follow(ctx)
		switch {
		case f.ended || f.final != nil:
			return f.run, f.final
		case ctx.Err() != nil:
			return f.interrupted(ctx)
		case time.Since(f.heard) > reconnectTimeout, f.malformed > maxMalformed:
			return f.run, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// follower follows one run over several connections.
type follower struct {
	c       *Client
	runID   string
	changed func(jobs.Run)
	run     jobs.Run
	// heard is when the runner last answered.
	heard time.Time
	// reported is when changed was last called.
	reported time.Time
	// malformed counts the events since the last one that could be read.
	malformed int
	ended     bool
	final     error
}

// follow reads the events of one connection until it ends.
func (f *follower) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctx, lines, end, err := f.c.stream(ctx, request{method: http.MethodGet, path: at("/runs/%s/follow", f.runID), accept: protocol.EventStream})
	if err != nil {
		if e, ok := errors.AsType[*jobs.Error](err); ok && e.Attribute != "runner.url" {
			f.final = err
		}
		return err
	}
	defer end()
	silent := time.AfterFunc(silenceTimeout, cancel)
	defer silent.Stop()
	name, data, begun := "", "", false
	for {
		text, err := lines.read()
		if err != nil {
			return f.c.cutOff(ctx, err)
		}
		// A runner begins with the run. Lines without an event before it are no sign of one.
		if begun {
			silent.Reset(silenceTimeout)
			f.heard = time.Now()
		}
		line := strings.TrimRight(string(text), "\r\n")
		if v, ok := strings.CutPrefix(line, "event: "); ok {
			name = v
		}
		if v, ok := strings.CutPrefix(line, "data: "); ok {
			data = v
		}
		if line != "" || name == "" {
			continue
		}
		if err := f.take(name, data); err != nil {
			f.malformed++
			return f.c.malformed(err)
		}
		if f.ended || f.final != nil {
			return nil
		}
		name, data, begun, f.malformed = "", "", true, 0
	}
}

// take handles one event.
func (f *follower) take(name, data string) error {
	switch name {
	case protocol.EventProblem:
		p, err := decode[protocol.Problem]([]byte(data))
		if err != nil {
			return err
		}
		f.final = f.c.problem(&p)
		return nil
	case protocol.EventRun, protocol.EventEnd:
	default:
		return fmt.Errorf("it has an event %q", shortened(name, 100))
	}
	run, err := decode[jobs.Run]([]byte(data))
	if err != nil {
		return err
	}
	if name == protocol.EventEnd && run.Status.Active() {
		return fmt.Errorf("it ends with a run that is %s", run.Status)
	}
	before := f.run
	f.run, f.ended = run, name == protocol.EventEnd
	moved := run.Status != before.Status || run.Phase != before.Phase
	if f.changed != nil && (moved || time.Since(f.reported) >= time.Second) {
		f.reported = time.Now()
		f.changed(run)
	}
	return nil
}

// interrupted cancels the run if this process started it, and returns the error
// of an interrupted wait.
func (f *follower) interrupted(ctx context.Context) (jobs.Run, error) {
	f.c.mu.Lock()
	own := f.c.started[f.runID]
	f.c.mu.Unlock()
	if own {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
		defer cancel()
		if err := f.c.CancelRun(stop, f.runID); err != nil {
			return f.run, &jobs.Error{
				Code: jobs.CodeCancelled, Summary: "Run " + f.runID + " could not be cancelled", Detail: err.Error(),
				Next: "The runner continues the run: find it with the command runs, and cancel it with the command cancel", Err: err,
			}
		}
	}
	run := f.run
	err := context.Cause(ctx)
	e := &jobs.Error{
		Code: jobs.CodeCancelled, Summary: fmt.Sprintf("Run %s was interrupted", f.runID),
		Detail: fmt.Sprintf("It was %s (%s).", run.Status, run.Phase), Next: "Apply again: the run continues where it stopped", Err: err,
	}
	if errors.Is(err, context.DeadlineExceeded) {
		e.Code, e.Attribute, e.Summary = jobs.CodeTimeout, "timeouts", fmt.Sprintf("Run %s did not end in time", f.runID)
		e.Next = "Raise the timeout and apply again: the run continues where it stopped"
	}
	return run, e
}

var _ io.Closer = (*Client)(nil)
