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

// patience is how long a session waits for a server that is starting before its
// client is told to come back: clients take a longer silence for a dead host.
const patience = 5 * time.Second

// launch is the start of a server. It goes on when those who wait for it leave.
type launch struct {
	cancel context.CancelFunc
	// done is closed when the server answers, or when err says why it never will.
	done chan struct{}
	err  error
}

// connect returns the client of a server that runs. One that died is started
// again; while that takes longer than limit, warehouse.ErrStarting is the
// answer.
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
		e.launch = e.begin(e.server)
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
		e.launch = nil // the next session tries anew
	}
	return e.client, l.err
}

// begin starts a server in place of one that has ended, if there was one.
func (e *Engine) begin(ended *process.Server) *launch {
	ctx, cancel := context.WithCancel(context.Background())
	l := &launch{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer cancel()
		if ended != nil {
			_ = ended.Close() // it has ended already
		}
		server, err := process.Serve(ctx, process.Options{Home: sparkdist.Installation{Dir: e.opts.Home}, DataDir: e.opts.DataDir}, StartTimeout)
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
