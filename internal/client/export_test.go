package client

import (
	"net/http"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
)

// DialBy makes the client dial with a function.
func (c *Client) DialBy(dial hostiletest.Dial) {
	if t, ok := c.http.Transport.(*http.Transport); ok {
		t.DialContext = dial
	}
}

// Die stops the heartbeat, as if the process was killed.
func (c *Client) Die() {
	c.mu.Lock()
	stop := c.stop
	c.stop, c.closed = nil, true
	c.mu.Unlock()
	stop()
	c.beating.Wait()
}

// Instance returns the id that identifies this process to the runner.
func (c *Client) Instance() string { return c.instance }

// HurryRetries makes the pauses between attempts short, for all clients of the process.
func HurryRetries() { attempts.First = time.Millisecond }
