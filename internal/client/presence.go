package client

import (
	"context"
	"net/http"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// beatInterval is how often a client that created an object reports that it is
// alive. The reports of a killed process stop, and the next apply adopts its
// unconfirmed objects.
const beatInterval = 2 * time.Second

// register reports to the runner that this process is alive, now and then
// periodically until Close.
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
		tick := time.NewTicker(beatInterval)
		defer tick.Stop()
		for {
			select {
			case <-beating.Done():
				return
			case <-tick.C:
				// If one report fails, the next one replaces it.
				_ = c.sendHeartbeat(beating)
			}
		}
	})
	return nil
}

func (c *Client) sendHeartbeat(ctx context.Context) error {
	return c.do(ctx, request{method: http.MethodPut, path: at("/clients/%s", c.instance)})
}

// Close implements jobs.API. The runner continues its runs.
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
	ctx, cancel := context.WithTimeout(context.Background(), cancelTimeout)
	defer cancel()
	err := c.do(ctx, request{method: http.MethodDelete, path: at("/clients/%s", c.instance)})
	if jobs.IsCode(err, jobs.CodeUnreachable) || jobs.IsCode(err, jobs.CodeTimeout) {
		// The objects stay unconfirmed until the next plan.
		return nil
	}
	return err
}
