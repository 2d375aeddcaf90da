package engine

// PlatformOf gives the platform of an engine whose store is open.
func PlatformOf(e *Engine) Platform { return e.platform }

// Outlive gives a context that ends a while after another one.
var Outlive = outlive
