package client

import (
	"context"
	"net/http"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// beatEvery is how often a client that made something says that it is alive. A
// process that was killed falls silent, and the next apply adopts what it left.
const beatEvery = 2 * time.Second

// register makes this process known to the runner, and keeps it so.
func (c *Client) register(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil || c.closed {
		return nil
	}
	if err := c.sendHeartbeat(ctx); err != nil {
		return err
	}
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	c.beating.Go(func() {
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		for {
			select {
			case <-beating.Done():
				return
			case <-tick.C:
				// A beat that fails is made good by the next.
				_ = c.sendHeartbeat(beating)
			}
		}
	})
	return nil
}

func (c *Client) sendHeartbeat(ctx context.Context) error {
	return c.do(ctx, request{method: http.MethodPut, path: at("/clients/%s", c.instance)})
}

// Close implements jobs.API. Runs go on at the runner.
func (c *Client) Close() error {
	c.mu.Lock()
	stop := c.stop
	c.closed = true
	c.mu.Unlock()
	defer c.http.CloseIdleConnections()
	if stop == nil {
		return nil
	}
	stop()
	c.beating.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	err := c.do(ctx, request{method: http.MethodDelete, path: at("/clients/%s", c.instance)})
	if jobs.IsCode(err, jobs.CodeUnreachable) || jobs.IsCode(err, jobs.CodeTimeout) {
		// What was made stays unconfirmed until its next plan.
		return nil
	}
	return err
}
