package spark

import (
	"context"
	"errors"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/hive"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/process"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/sparkdist"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// sessionWait is how long a new session waits for a server that is starting.
// Clients take a longer silence for a dead server.
const sessionWait = 5 * time.Second

// launch is the start of a server. It continues when its waiting callers give up.
type launch struct {
	cancel context.CancelFunc
	// done is closed when the server answers, or when the start failed with err.
	done chan struct{}
	err  error
}

// connect returns a client of the running server. It restarts a server that has
// ended; if that takes longer than limit, it returns warehouse.ErrStarting.
func (e *Engine) connect(ctx context.Context, limit time.Duration) (*hive.Client, error) {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil, errors.New("the Spark engine is closed")
	}
	if e.opts.URL != "" || e.server != nil && e.server.Err() == nil {
		defer e.mu.Unlock()
		return e.client, nil
	}
	if e.launch == nil {
		e.launch = e.startServer(e.server)
		e.server = nil
	}
	l := e.launch
	e.mu.Unlock()

	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-l.done:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-timer.C:
		return nil, warehouse.ErrStarting
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.launch == l {
		e.launch = nil // the next session tries again
	}
	return e.client, l.err
}

// startServer starts a server. ended is the previous one, if any.
func (e *Engine) startServer(ended *process.Server) *launch {
	ctx, cancel := context.WithCancel(context.Background())
	l := &launch{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer cancel()
		if ended != nil {
			_ = ended.Close() // the process has already ended
		}
		server, err := process.Serve(ctx, process.Options{
			Home: sparkdist.Installation{Dir: e.opts.Home}, DataDir: e.opts.DataDir, EventLog: e.opts.EventLog,
		}, StartTimeout)
		e.mu.Lock()
		defer e.mu.Unlock()
		if l.err = err; err == nil {
			e.server, e.client, e.launch = server, hive.NewClient(server.URL), nil
		}
		close(l.done)
	}()
	return l
}

func (e *Engine) stop() error {
	e.mu.Lock()
	e.closed = true
	l := e.launch
	e.mu.Unlock()
	if l != nil {
		l.cancel()
		<-l.done
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		e.client.Close()
	}
	if e.server != nil {
		return e.server.Close()
	}
	return nil
}
