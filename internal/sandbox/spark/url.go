package spark

// URL returns the address of the Thrift server, which other sandboxes of this machine
// can use.
func (e *Engine) URL() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.server != nil {
		return e.server.URL
	}
	return e.opts.URL
}
