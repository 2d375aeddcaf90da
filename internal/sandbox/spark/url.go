package spark

// URL is where the Thrift server listens: other sandboxes of this machine can
// share it.
func (e *Engine) URL() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.server != nil {
		return e.server.URL
	}
	return e.opts.URL
}
