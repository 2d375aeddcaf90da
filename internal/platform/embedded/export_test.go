package embedded

// LimitMemory makes batches small and forgets everything between them.
func LimitMemory(p *Platform, events int) {
	p.limits.batchEvents, p.limits.cachedBytes, p.limits.cachedIdentities = events, 0, 0
}

// LimitIdentities lowers how many identities one user may have.
func LimitIdentities(p *Platform, n int) { p.limits.identities = n }
