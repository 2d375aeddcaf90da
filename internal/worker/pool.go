package worker

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Config configures a Pool.
type Config struct {
	// Command returns the command of a worker, which is not started.
	Command func() *exec.Cmd
	Setup   Setup
	// Version is that of this binary. A worker of another one is refused.
	Version string
	// Log is the runner's log; nil discards it.
	Log *slog.Logger
	// Keep is the number of processes that stay without a task: DefaultKeep when 0. The
	// others end when they had no task for KeepFor: DefaultKeepFor when 0.
	Keep    int
	KeepFor time.Duration
	// Grace is how long a cancelled run may clean up before its process is killed:
	// DefaultGrace when 0. A question gets askGrace at most.
	Grace time.Duration
}

// The defaults of a Config.
const (
	DefaultKeep    = 2
	DefaultKeepFor = time.Minute
	// DefaultGrace is shorter than the time that a runner has to stop.
	DefaultGrace = 30 * time.Second
)

const (
	// maxTasks is the number of runs and questions after which a process is replaced, so
	// that memory which a library does not release is bounded.
	maxTasks = 100
	// maxAsking bounds the questions that are asked at the same time: each needs a process.
	// The others wait. Half of them, for one workspace, are as many as Terraform asks at the
	// same time by default.
	maxAsking = 20
	// askGrace bounds how long a question may take to end after it was cancelled. It has
	// nothing to clean up but its session.
	askGrace = 5 * time.Second
)

// Pool starts worker processes, and keeps those that are free.
type Pool struct {
	config Config
	// starting bounds the processes that start at the same time.
	starting chan struct{}
	// asking bounds the questions that are under way, and questions waits for their end.
	asking    *places
	questions sync.WaitGroup
	stats     stats

	mu     sync.Mutex
	closed bool
	// closing is closed with the pool.
	closing chan struct{}
	// free are the processes without a task, the last used one last.
	free []*process
	// ending counts processes that are being stopped.
	ending sync.WaitGroup
}

var _ engine.Workers = (*Pool)(nil)

var errStopping = errors.New("the runner is stopping")

// NewPool makes a Pool that has started no process yet.
func NewPool(c Config) *Pool {
	c.Keep = cmp.Or(c.Keep, DefaultKeep)
	c.KeepFor = cmp.Or(c.KeepFor, DefaultKeepFor)
	c.Grace = cmp.Or(c.Grace, DefaultGrace)
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	return &Pool{
		config: c, starting: make(chan struct{}, 2*runtime.GOMAXPROCS(0)), asking: newPlaces(maxAsking),
		closing: make(chan struct{}),
	}
}

// Execute implements engine.Workers.
func (p *Pool) Execute(ctx context.Context, c store.Claim, report func(engine.Report)) error {
	return p.use(ctx, slog.String("run", c.RunID), func(w *process) (reusable bool, err error) {
		return w.execute(ctx, c, p.config.Grace, report)
	})
}

// Ask implements engine.Workers. Close stops it.
func (p *Pool) Ask(ctx context.Context, workspace string, q engine.Question) (a engine.Answer, err error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return a, &engine.WorkersUnavailable{Err: errStopping}
	}
	p.questions.Add(1)
	p.mu.Unlock()
	defer p.questions.Done()
	ctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	defer cancel(nil)
	defer close(ended)
	go func() {
		select {
		case <-p.closing:
			cancel(errStopping)
		case <-ended:
		}
	}()
	if err := p.asking.take(ctx, workspace); err != nil {
		return a, err
	}
	defer p.asking.leave(workspace)
	err = p.use(ctx, slog.String("question", q.Kind()), func(w *process) (reusable bool, err error) {
		reusable, a, err = w.ask(ctx, q, min(askGrace, p.config.Grace))
		return reusable, err
	})
	if errors.Is(context.Cause(ctx), errStopping) {
		return engine.Answer{}, &engine.WorkersUnavailable{Err: errStopping}
	}
	return a, err
}

// use gives one process to do. After work that failed the process ends: nobody knows what
// the failure left in it. task names the work in the log.
func (p *Pool) use(ctx context.Context, task slog.Attr, do func(*process) (reusable bool, err error)) error {
	for {
		w, kept, err := p.take(ctx)
		if err != nil {
			return &engine.WorkersUnavailable{Err: err}
		}
		p.stats.busy.Add(1)
		reusable, err := do(w)
		var lost *engine.WorkerLost
		switch {
		case reusable && w.tasks < maxTasks:
			p.putBack(w)
		case errors.As(err, &lost):
			p.stats.lost.Add(1)
			p.config.Log.WarnContext(ctx, "a worker process was lost", task, "pid", lost.PID, "how", lost.How)
		default:
			p.end(w)
		}
		p.stats.busy.Add(-1)
		switch {
		case !errors.Is(err, errNotBegun):
			return err
		case !kept:
			return &engine.WorkersUnavailable{Err: err}
		}
		// It died while it was free. The next one may be new.
	}
}

// take returns a free process, or starts one. kept reports that it was free.
func (p *Pool) take(ctx context.Context) (w *process, kept bool, err error) {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, false, errStopping
		}
		if len(p.free) == 0 {
			p.mu.Unlock()
			w, err := p.start(ctx)
			return w, false, err
		}
		w := p.free[len(p.free)-1]
		p.free = p.free[:len(p.free)-1]
		w.idle.Stop()
		p.mu.Unlock()
		if w.alive() {
			return w, true, nil
		}
		p.config.Log.WarnContext(ctx, "a worker process ended while it had no task", "pid", w.cmd.Process.Pid)
		p.end(w)
	}
}

func (p *Pool) start(ctx context.Context) (*process, error) {
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case p.starting <- struct{}{}:
	}
	defer func() { <-p.starting }()
	w, err := start(ctx, p.config.Command(), p.config.Setup, p.config.Version)
	if err == nil {
		p.stats.started.Add(1)
		p.config.Log.DebugContext(ctx, "started a worker process", "pid", w.cmd.Process.Pid)
	}
	return w, err
}

// putBack keeps a process for the next task.
func (p *Pool) putBack(w *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		p.endLocked(w)
		return
	}
	p.free = append(p.free, w)
	w.idle = time.AfterFunc(p.config.KeepFor, func() { p.retire(w) })
}

// retire ends a process that had no task for some time, if enough others are free.
func (p *Pool) retire(w *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.free, w)
	switch {
	case i < 0: // it has a task again
	case len(p.free) <= p.config.Keep:
		w.idle.Reset(p.config.KeepFor)
	default:
		p.free = slices.Delete(p.free, i, i+1)
		p.endLocked(w)
	}
}

// end stops a process in the background.
func (p *Pool) end(w *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endLocked(w)
}

func (p *Pool) endLocked(w *process) { p.ending.Go(w.stop) }

// Close ends the processes, and the questions that are under way. Call it after the last
// Execute has returned.
func (p *Pool) Close() error {
	p.mu.Lock()
	if !p.closed {
		close(p.closing)
	}
	p.closed = true
	for _, w := range p.free {
		w.idle.Stop()
		p.endLocked(w)
	}
	p.free = nil
	p.mu.Unlock()
	p.questions.Wait()
	p.ending.Wait()
	return nil
}
