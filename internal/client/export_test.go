package client

// Die stops the heartbeat, as the end of a killed process does.
func (c *Client) Die() {
	c.mu.Lock()
	stop := c.stop
	c.stop, c.closed = nil, true
	c.mu.Unlock()
	stop()
	c.beating.Wait()
}

// Instance is the id that the runner knows this process by.
func (c *Client) Instance() string { return c.instance }
