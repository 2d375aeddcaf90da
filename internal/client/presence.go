package client

import (
	"context"
	"net/http"
	"net/url"
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
	unanswered, known := c.creates.Unanswered()
	if !known {
		// The runner may have made an object that this process cannot name. Without the
		// report it confirms nothing, and takes this process for dead when its lease ends.
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), cancelTimeout)
	defer cancel()
	r := request{method: http.MethodDelete, path: at("/clients/%s", c.instance)}
	if len(unanswered) > 0 {
		r.query = url.Values{"unanswered": unanswered}
	}
	err := c.do(ctx, r)
	if jobs.IsCode(err, jobs.CodeUnreachable) || jobs.IsCode(err, jobs.CodeTimeout) || len(unanswered) > 0 && jobs.IsCode(err, jobs.CodeInvalid) {
		// The objects stay unconfirmed until the next plan. A runner of an earlier
		// release refuses the parameter.
		return nil
	}
	return err
}
