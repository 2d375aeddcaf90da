package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

const (
	// startTimeout bounds the time until a new process has said its version.
	startTimeout = time.Minute
	// stopGrace is how long a process without a task may take to end.
	stopGrace = 5 * time.Second
)

// process is a worker process.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out sender
	// messages is closed when the process has ended.
	messages chan fromWorker
	printed  *stderr
	// garbage is the error of a message that cannot be read. Read it, and the state of
	// cmd, after messages was closed.
	garbage error
	// tasks counts the runs that it executed, and the questions that it answered.
	tasks int
	// idle ends the process if it is not used for some time.
	idle *time.Timer
}

// start starts a process, and gives it its setup.
func start(ctx context.Context, cmd *exec.Cmd, setup Setup, version string) (*process, error) {
	p := &process{cmd: cmd, messages: make(chan fromWorker, 16), printed: &stderr{}}
	var err error
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	p.out.w = p.in
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = p.printed
	cmd.WaitDelay = stopGrace
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go p.listen(output)
	if err := p.handshake(ctx, setup, version); err != nil {
		p.kill()
		p.drain()
		if lines := p.printed.last(); len(lines) > 0 {
			err = fmt.Errorf("%w: %s", err, lines[0])
		}
		return nil, err
	}
	return p, nil
}

// listen passes the messages on until the process ends.
func (p *process) listen(output io.Reader) {
	defer close(p.messages)
	if p.garbage = receive(output, func(m fromWorker) { p.messages <- m }); p.garbage != nil {
		p.kill()
		_, _ = io.Copy(io.Discard, output)
	}
	// A process that only closed its output would never end.
	kill := time.AfterFunc(stopGrace, p.kill)
	defer kill.Stop()
	_ = p.cmd.Wait() // how it ended is in the state of cmd
}

func (p *process) handshake(ctx context.Context, setup Setup, version string) error {
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timeout.C:
		return fmt.Errorf("the process did not answer within %s", startTimeout)
	case m, ok := <-p.messages:
		switch {
		case !ok:
			return errors.New("the process ended at once: " + p.how())
		case m.Version != version:
			return fmt.Errorf("its binary has version %q, and the runner's has %q: the file was replaced, restart the runner", m.Version, version)
		}
	}
	// The setup is sent to a process of this version only, which reads it at once.
	return p.out.send(toWorker{Setup: &setup})
}

// errNotBegun means that the process ended before it had the task, so that the task is not
// the cause.
var errNotBegun = errors.New("the worker process ended before it began its work")

// execute executes a run. reusable reports whether the process may have another task.
func (p *process) execute(ctx context.Context, c store.Claim, grace time.Duration, report func(engine.Report)) (reusable bool, err error) {
	var workError *engine.WorkError
	stopped, err := p.exchange(ctx, toWorker{Run: &c}, grace, func(m fromWorker) (end bool) {
		switch {
		case m.Report != nil:
			report(*m.Report)
		case m.Ended != nil:
			workError, end = m.Ended.Error, true
		}
		return end
	})
	switch {
	case err != nil:
		return false, err
	case workError != nil:
		return false, workError
	}
	return !stopped, nil
}

// ask has the process answer a question. reusable is that of execute.
func (p *process) ask(ctx context.Context, q engine.Question, grace time.Duration) (reusable bool, a engine.Answer, err error) {
	var text json.RawMessage
	stopped, err := p.exchange(ctx, toWorker{Question: &q}, grace, func(m fromWorker) bool {
		text = m.Answer
		return len(text) > 0
	})
	if err != nil {
		return false, a, err
	}
	if err := json.Unmarshal(text, &a); err != nil {
		// The error of encoding/json may repeat a value.
		return false, engine.Answer{}, fmt.Errorf("an answer of %d bytes cannot be read", len(text))
	}
	return !stopped && a.Error == nil, a, nil
}

// exchange sends a task, and gives the messages of the process to got until it returns true.
// After the end of ctx the process may clean up for the time of grace, and is killed then;
// stopped reports that.
func (p *process) exchange(ctx context.Context, m toWorker, grace time.Duration, got func(fromWorker) bool) (stopped bool, err error) {
	p.printed.reset()
	p.tasks++
	if err := p.out.send(m); err != nil {
		p.kill()
	}
	cancelled, began := ctx.Done(), false
	var kill <-chan time.Time
	for {
		select {
		case m, ok := <-p.messages:
			switch {
			case !ok && !began:
				return stopped, fmt.Errorf("%w: %s", errNotBegun, strings.Join(append([]string{p.how()}, p.printed.last()...), ": "))
			case !ok:
				return stopped, &engine.WorkerLost{PID: p.cmd.Process.Pid, How: p.how(), Output: p.printed.last()}
			case m.Began:
				began = true
			case got(m):
				return stopped, nil
			}
		case <-cancelled:
			cancelled, stopped = nil, true
			timer := time.NewTimer(grace)
			defer timer.Stop()
			kill = timer.C
			_ = p.out.send(toWorker{Cancel: true}) // a process that has ended needs none
		case <-kill:
			p.kill()
		}
	}
}

// how describes the end of the process.
func (p *process) how() string {
	if p.garbage != nil {
		return p.garbage.Error()
	}
	return p.cmd.ProcessState.String()
}

// alive reports whether a process without a task can have one.
func (p *process) alive() bool {
	select {
	case <-p.messages: // it has ended, or says what nobody asked for
		return false
	default:
		return true
	}
}

func (p *process) kill() { _ = p.cmd.Process.Kill() }

// drain waits for the end of the process.
func (p *process) drain() {
	for range p.messages { // nobody waits for them
	}
}

// stop ends a process without a task, and waits for its end.
func (p *process) stop() {
	_ = p.in.Close()
	kill := time.AfterFunc(stopGrace, p.kill)
	defer kill.Stop()
	p.drain()
}
