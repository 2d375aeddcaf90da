package client

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
