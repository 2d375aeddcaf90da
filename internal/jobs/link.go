package jobs

// RunLinker is implemented by an API whose runs have web pages.
type RunLinker interface {
	// RunURL returns the address of a run's page, or "" if there is no page that
	// a browser can open.
	RunURL(runID string) string
}

// SignInLinker is implemented by an API whose runner has a page.
type SignInLinker interface {
	// SignInURL returns the address that signs in to the page with a code, or "" if
	// there is no page that a browser can open.
	SignInURL(code Secret) string
}

// Remote is implemented by an API that calls another process, which has its own
// configuration.
type Remote interface {
	// Place returns the address of that process, for display.
	Place() string
}

// RunURL returns the address of a run's page, or "" if the API has none.
func RunURL(api API, runID string) string {
	if l, ok := api.(RunLinker); ok {
		return l.RunURL(runID)
	}
	return ""
}
