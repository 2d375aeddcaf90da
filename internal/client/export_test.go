package client

// Die falls silent, as a process does that is killed.
func (c *Client) Die() {
	c.mu.Lock()
	stop := c.stop
	c.stop, c.closed = nil, true
	c.mu.Unlock()
	stop()
	c.beating.Wait()
}
