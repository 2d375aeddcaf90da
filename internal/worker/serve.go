package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// releaseAfter is how long a worker waits for its next task before it gives free memory
// back to the operating system.
const releaseAfter = time.Second

// server is the worker's side.
type server struct {
	out *sender
	// setup and tasks are read by serve.
	setup chan Setup
	tasks chan task

	mu sync.Mutex
	// cancel stops the task that was received last; nil after its end.
	cancel context.CancelFunc
}

// task is a run to execute, or a question to answer.
type task struct {
	ctx      context.Context
	claim    *store.Claim
	question *engine.Question
}

// Serve executes the runs and answers the questions that arrive on the standard input, until
// it ends. It is the whole life of a worker process. open makes the engine, which Serve
// closes.
//
// The end of the input during a task means that the runner has died. The process then
// exits at once, as in a crash, and leaves the run to the next runner. Interrupts are
// ignored: a terminal and an init system send them to all processes of a runner, and the
// runner decides what happens to a run.
func Serve(version string, open func(Setup) (*engine.Engine, error)) error {
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	dieFirst()
	s := &server{out: &sender{w: os.Stdout}, setup: make(chan Setup, 1), tasks: make(chan task, 1)}
	// What a library prints must not be read as a message.
	os.Stdout = os.Stderr
	if err := s.out.send(fromWorker{Version: version}); err != nil {
		return err
	}
	go func() {
		defer close(s.tasks)
		defer close(s.setup)
		err := receive(os.Stdin, s.receive)
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil || s.cancel != nil {
			os.Exit(1)
		}
	}()
	setup, ok := <-s.setup
	if !ok {
		return nil
	}
	// The process began without the runner's variables, which may be secrets.
	for _, v := range setup.Environment {
		if name, value, ok := strings.Cut(v, "="); ok && name != "" {
			if err := os.Setenv(name, value); err != nil {
				return fmt.Errorf("setting the environment: %w", err)
			}
		}
	}
	limit := limitMemory(setup.MemoryMB)
	e, err := open(setup)
	if err != nil {
		return err
	}
	return errors.Join(s.serve(e, limit), e.Close())
}

func (s *server) receive(m toWorker) {
	switch {
	case m.Setup != nil:
		s.setup <- *m.Setup
	case m.Run != nil, m.Question != nil:
		ctx, cancel := context.WithCancel(context.Background())
		s.mu.Lock()
		s.cancel = cancel
		s.mu.Unlock()
		s.tasks <- task{ctx, m.Run, m.Question}
	case m.Cancel:
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.cancel != nil {
			s.cancel()
		}
	}
}

func (s *server) serve(e *engine.Engine, limit memoryLimit) error {
	release := time.NewTimer(releaseAfter)
	defer release.Stop()
	for {
		select {
		case <-release.C:
			debug.FreeOSMemory()
		case t, ok := <-s.tasks:
			if !ok {
				return nil
			}
			if err := s.execute(e, t, limit); err != nil {
				return err
			}
			release.Reset(releaseAfter)
		}
	}
}

// execute does a task, and sends how it ended.
func (s *server) execute(e *engine.Engine, t task, limit memoryLimit) error {
	if err := s.out.send(fromWorker{Began: true}); err != nil {
		return err
	}
	stop := limit.watch()
	var end fromWorker
	if t.question != nil {
		end.Answer = answer(t.ctx, e, *t.question)
	} else {
		err := e.ExecuteClaimed(t.ctx, *t.claim, func(r engine.Report) {
			_ = s.out.send(fromWorker{Report: &r}) // the end of the runner also ends the input
		})
		end.Ended = &ended{Error: engine.NewWorkError(err)}
	}
	stop()
	s.mu.Lock()
	s.cancel()
	s.cancel = nil
	s.mu.Unlock()
	return s.out.send(end)
}

// answer answers a question, in JSON of a bounded size.
func answer(ctx context.Context, e *engine.Engine, q engine.Question) json.RawMessage {
	text, err := json.Marshal(e.Answer(ctx, q))
	switch {
	case err != nil:
		text, _ = json.Marshal(engine.Answer{Error: engine.NewWorkError(err)})
	case len(text) > engine.MaxAnswer:
		text, _ = json.Marshal(engine.AnswerTooLarge(len(text)))
	}
	return text
}
