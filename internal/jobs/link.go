package jobs

// RunLinker is implemented by an API whose runs can be looked at on a page.
type RunLinker interface {
	// RunURL is the address of a run's page; empty where there is none that a
	// browser reaches.
	RunURL(runID string) string
}

// Remote is implemented by an API that another process stands behind, which has
// a configuration of its own.
type Remote interface {
	// Place is where that process is, for people.
	Place() string
}

// RunURL is the address of a run's page, where the API has one.
func RunURL(api API, runID string) string {
	if l, ok := api.(RunLinker); ok {
		return l.RunURL(runID)
	}
	return ""
}
