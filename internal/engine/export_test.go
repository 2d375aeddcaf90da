package engine

// PlatformOf gives the platform of an engine whose store is open.
func PlatformOf(e *Engine) Platform { return e.platform }
