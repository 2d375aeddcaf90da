package worker

import (
	"context"
	"sync"
)

// places are shared by the questions to all workspaces, so that a workspace that does not
// answer does not keep the questions to the others waiting. A workspace may take another
// place only while it has fewer than are free: the first gets half of them, the next one
// half of the rest.
type places struct {
	mu    sync.Mutex
	free  int
	taken map[string]int
	// left is closed, and made anew, when a place becomes free.
	left chan struct{}
}

func newPlaces(n int) *places {
	return &places{free: n, taken: map[string]int{}, left: make(chan struct{})}
}

// take waits for a place for a question to a workspace. The error is the cause of ctx's end.
func (p *places) take(ctx context.Context, workspace string) error {
	for {
		p.mu.Lock()
		left, ok := p.left, p.taken[workspace] < p.free
		if ok {
			p.free--
			p.taken[workspace]++
		}
		p.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-left:
		}
	}
}

// leave gives a place back.
func (p *places) leave(workspace string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free++
	if p.taken[workspace]--; p.taken[workspace] == 0 {
		delete(p.taken, workspace)
	}
	close(p.left)
	p.left = make(chan struct{})
}
