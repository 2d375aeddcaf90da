package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
)

// actorOf notes who lists the jobs.
type actorOf struct {
	jobs.API
	who *jobs.Actor
}

func (a actorOf) Jobs(ctx context.Context) ([]jobs.Job, error) {
	*a.who, _ = jobs.ActorOf(ctx)
	return a.API.Jobs(ctx)
}

// guesser tries tokens on a server whose clock stands still.
type guesser struct {
	*testing.T
	now    time.Time
	server http.Handler
	n      int
}

func newGuesser(t *testing.T) *guesser {
	t.Helper()
	g := &guesser{T: t, now: time.Unix(1_800_000_000, 0)}
	configured := []api.ConfiguredToken{{Name: "ci", Role: jobs.RoleRead, Hash: jobs.HashToken("the-token-of-ci")}}
	g.server = api.New(api.Config{API: product(t, nil), Token: jobs.NewSecret(secret), Configured: configured,
		Now: func() time.Time { return g.now }}).Handler()
	return g
}

// try presents a token from an address, and returns the status and the seconds of
// Retry-After.
func (g *guesser) try(address, token string) (status, wait int) {
	g.Helper()
	resp := ask(g.T, g.server, http.MethodGet, "/api/v1/jobs", "", func(r *http.Request) {
		r.RemoteAddr = address
		r.Header.Set("Authorization", "Bearer "+token)
	})
	wait, _ = strconv.Atoi(resp.Header.Get("Retry-After"))
	return resp.StatusCode, wait
}

// guess presents a token that nobody has.
func (g *guesser) guess(address string) (status, wait int) {
	g.Helper()
	g.n++
	return g.try(address, fmt.Sprintf("wrong-token-number-%d", g.n))
}

// checklist 54: wrong tokens of one address are slowed, ever more. Meanwhile not
// even the right one is looked at, unless it was used before.
func TestWrongTokensOfAnAddressAreSlowed(t *testing.T) {
	t.Parallel()
	const address = "192.0.2.9:5000"
	g := newGuesser(t)
	if status, _ := g.try(address, "the-token-of-ci"); status != http.StatusOK {
		t.Fatalf("the right token gave %d", status)
	}
	for range 21 {
		if status, _ := g.guess(address); status != http.StatusUnauthorized {
			t.Fatalf("a wrong token gave %d, want 401", status)
		}
	}
	delay := 1
	for range 8 {
		if status, wait := g.guess(address); status != http.StatusTooManyRequests || wait != delay {
			t.Fatalf("a further token gave %d and Retry-After %d, want 429 and %d", status, wait, delay)
		}
		if status, _ := g.try(address, secret); status != http.StatusTooManyRequests {
			t.Fatalf("a right token that was not used before gave %d, want 429", status)
		}
		if status, _ := g.try("192.0.2.9:5001", "the-token-of-ci"); status != http.StatusOK {
			t.Fatalf("a token that was used before gave %d, want 200", status)
		}
		if status, _ := g.guess("192.0.2.10:5000"); status != http.StatusUnauthorized {
			t.Fatalf("another address got %d, want 401", status)
		}
		g.now = g.now.Add(time.Duration(delay) * time.Second)
		if status, _ := g.guess(address); status != http.StatusUnauthorized {
			t.Fatalf("after %d s: got %d, want 401", delay, status)
		}
		delay = min(2*delay, 60)
	}
	g.now = g.now.Add(16 * time.Minute)
	if status, _ := g.guess(address); status != http.StatusUnauthorized {
		t.Errorf("after a long pause: got %d, want 401", status)
	}
	if status, _ := g.try(address, secret); status != http.StatusOK {
		t.Errorf("the right token after a long pause gave %d, want 200", status)
	}
}

// checklist 54: wrong tokens from many addresses are slowed too, and an IPv6
// network counts as one address.
func TestWrongTokensOfManyAddressesAreSlowed(t *testing.T) {
	t.Parallel()
	g := newGuesser(t)
	for i := range 201 {
		if status, _ := g.guess(fmt.Sprintf("10.0.%d.%d:5000", i/100, i)); status != http.StatusUnauthorized {
			t.Fatalf("wrong token %d gave %d, want 401", i, status)
		}
	}
	if status, wait := g.guess("10.9.9.9:5000"); status != http.StatusTooManyRequests || wait != 1 {
		t.Errorf("a further address got %d and Retry-After %d, want 429 and 1", status, wait)
	}
	g = newGuesser(t)
	for i := range 21 {
		g.guess(fmt.Sprintf("[2001:db8:1:2::%x]:5000", i+1))
	}
	if status, _ := g.guess("[2001:db8:1:2:ffff::1]:5000"); status != http.StatusTooManyRequests {
		t.Errorf("another address of the network got %d, want 429", status)
	}
	if status, _ := g.guess("[2001:db8:1:3::1]:5000"); status != http.StatusUnauthorized {
		t.Errorf("another network got %d, want 401", status)
	}
}

// A request without a token is no attempt.
func TestRequestsWithoutATokenAreNotSlowed(t *testing.T) {
	t.Parallel()
	g := newGuesser(t)
	for range 100 {
		if status, _ := g.try("192.0.2.9:5000", ""); status != http.StatusUnauthorized {
			t.Fatalf("got %d, want 401", status)
		}
	}
	if status, _ := g.try("192.0.2.9:5000", secret); status != http.StatusOK {
		t.Errorf("the right token gave %d, want 200", status)
	}
}

// A client that goes on with a revoked token is no guesser: it does not keep out a right
// token from the same address.
func TestTheSameWrongTokenIsCountedOnce(t *testing.T) {
	t.Parallel()
	g := newGuesser(t)
	for range 1000 {
		if status, _ := g.try("192.0.2.1:1", "a-token-that-was-revoked"); status != http.StatusUnauthorized {
			t.Fatalf("got %d for the wrong token, want 401", status)
		}
	}
	if status, _ := g.try("192.0.2.1:1", "the-token-of-ci"); status != http.StatusOK {
		t.Errorf("got %d for a right token from the same address, want 200", status)
	}
}
