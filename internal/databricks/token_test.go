package databricks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Requests that were refused with one token share one renewal, and all of them succeed with
// the new token.
//
// checklist 25
func TestRefusedRequestsShareOneRenewal(t *testing.T) {
	t.Parallel()
	const requests = 4
	for name, call := range map[string]func(*testing.T, *UnityCatalog) error{
		"catalog": func(t *testing.T, u *UnityCatalog) error {
			t.Helper()
			_, err := u.Catalogs(t.Context(), "")
			return err
		},
		"directory": func(t *testing.T, u *UnityCatalog) error {
			t.Helper()
			_, err := (&Files{w: u.w}).List(t.Context(), "/Volumes/a/b/c")
			return err
		},
		"statement": func(t *testing.T, u *UnityCatalog) error {
			t.Helper()
			_, err := post(t, u.w, u.w.transport.endpoint.String(), "GetOperationStatus")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var together sync.WaitGroup
			together.Add(requests)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") == "Bearer dapi-1" {
					together.Done()
					together.Wait() // all of them have the first token
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				if r.Method == http.MethodPost {
					_, _ = w.Write(emptyAnswer("GetOperationStatus"))
					return
				}
				_, _ = fmt.Fprint(w, `{"catalogs":[],"contents":[]}`)
			}))
			defer server.Close()
			var reads atomic.Int32
			cfg := serverConfig(t, server)
			cfg.HTTPPath = "/sql/1.0/warehouses/a"
			cfg.Token = func(context.Context) (jobs.Secret, error) {
				return jobs.NewSecret(fmt.Sprintf("dapi-%d", min(reads.Add(1), 2))), nil
			}
			u, err := NewUnityCatalog(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer u.Close()
			var calls sync.WaitGroup
			for range requests {
				calls.Go(func() {
					if err := call(t, u); err != nil {
						t.Error(err)
					}
				})
			}
			calls.Wait()
			if n := reads.Load(); n != 2 {
				t.Errorf("the token was read %d times, want 2: at first, and after the refusal", n)
			}
		})
	}
}

// A call that waits for another one's token ends with its own context.
func TestWaitingForATokenEndsWithTheContext(t *testing.T) {
	t.Parallel()
	reading, release := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"catalogs":[]}`) }))
	defer server.Close()
	cfg := serverConfig(t, server)
	cfg.HTTPPath = "/sql/1.0/warehouses/a"
	cfg.Token = func(context.Context) (jobs.Secret, error) {
		close(reading)
		<-release
		return jobs.NewSecret("dapi-1"), nil
	}
	u, err := NewUnityCatalog(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	first := make(chan error, 1)
	go func() { _, err := u.Catalogs(t.Context(), ""); first <- err }()
	<-reading
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := u.Catalogs(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("the call that waits: got %v, want that it was cancelled", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Errorf("the call that reads: %v", err)
	}
}
