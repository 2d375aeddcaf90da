package jobs

import (
	"context"
	"sync"
)

// create is one create of Terraform, from its request to its answer.
type create struct {
	mu       sync.Mutex
	answered bool
}

type createKey struct{}

// BeginCreate returns the context for the calls of one create of Terraform, and the
// function that ends the create. A create that was told to stop before its end counts
// as unanswered: Terraform may have left without it, so that no state file holds what
// it made.
func BeginCreate(ctx context.Context) (_ context.Context, end func()) {
	c := &create{}
	return context.WithValue(ctx, createKey{}, c), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.answered = ctx.Err() == nil
	}
}

// Creates are the creates of one process, with the objects that they made.
type Creates struct {
	mu   sync.Mutex
	made map[*create][]string
	// asked counts the requests of a create whose outcome is not known.
	asked map[*create]int
}

// Made notes that the create of ctx made an object: the id of an authorization or a
// job, or PlatformObject. Without a create in ctx it does nothing.
func (c *Creates) Made(ctx context.Context, object string) {
	of, ok := ctx.Value(createKey{}).(*create)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == nil {
		c.made = map[*create][]string{}
	}
	c.made[of] = append(c.made[of], object)
}

// Asked notes that another process is asked to make an object for the create of ctx.
// Until the returned function was called with the object, the outcome is not known.
func (c *Creates) Asked(ctx context.Context) (made func(object string)) {
	of, ok := ctx.Value(createKey{}).(*create)
	if !ok {
		return func(string) {}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked == nil {
		c.asked = map[*create]int{}
	}
	c.asked[of]++
	return func(object string) {
		c.Made(ctx, object)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked[of]--
	}
}

// Unanswered lists the objects of the creates that are open or were told to stop.
// known is false if such a create asked for an object and the outcome is not known.
func (c *Creates) Unanswered() (objects []string, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for of, made := range c.made {
		if !of.isAnswered() {
			objects = append(objects, made...)
		}
	}
	for of, n := range c.asked {
		if n > 0 && !of.isAnswered() {
			return objects, false
		}
	}
	return objects, true
}

func (c *create) isAnswered() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answered
}

// PlatformObject names an object of the platform for Presence.Retire and Creates.
func PlatformObject(kind ObjectKind, id string) string { return string(kind) + "/" + id }
