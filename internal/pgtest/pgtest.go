// Package pgtest provides PostgreSQL for tests: one temporary server for each
// test binary, started by the first test that needs it, and an empty database for
// each test.
//
// Without PostgreSQL the tests are skipped. With LYTICS_TEST_REQUIRE_POSTGRES=1
// they fail instead, so that CI cannot skip them unnoticed.
package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/pgtest/pgserver"
)

// RequireEnv names the variable that makes a missing PostgreSQL a failure.
const RequireEnv = "LYTICS_TEST_REQUIRE_POSTGRES"

// Password is the password of lytics, the only user. Tests check that it
// appears in no output.
const Password = pgserver.Password

// start returns the server of this process. It is fast rather than durable: it ends
// with the tests.
var start = sync.OnceValues(func() (*pgserver.Server, error) {
	return pgserver.Start("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300", "shared_buffers=32MB",
		"autovacuum=off")
})

var databases atomic.Int64

// prepared is the database that Copy copies.
var prepared struct {
	once sync.Once
	name string
	err  error
}

// URL returns the URL of a new, empty database for the test. If possible, the
// database sorts text by English rules, as many databases do, so that a query
// that needs the order of bytes must say so.
func URL(tb testing.TB) string {
	tb.Helper()
	s := started(tb)
	name, err := create(s, "template0")
	if err != nil {
		tb.Fatalf("a database for the test: %v", err)
	}
	return s.URL(name)
}

// Copy is URL for a database that is not empty: it is a copy of one that the first
// caller's prepare has filled. There is one such database in a process, so all callers
// give the same prepare.
func Copy(tb testing.TB, prepare func(url string) error) string {
	tb.Helper()
	s := started(tb)
	prepared.once.Do(func() {
		if prepared.name, prepared.err = create(s, "template0"); prepared.err == nil {
			prepared.err = prepare(s.URL(prepared.name))
		}
	})
	if prepared.err != nil {
		tb.Fatalf("the database to copy: %v", prepared.err)
	}
	name, err := create(s, prepared.name)
	if err != nil {
		tb.Fatalf("a copied database for the test: %v", err)
	}
	return s.URL(name)
}

// create makes a database from a template, and returns its name.
func create(s *pgserver.Server, template string) (string, error) {
	name := fmt.Sprintf("test_%d", databases.Add(1))
	return name, s.CreateDatabase(name, template)
}

// started returns the server, and skips or fails the test if there is none.
func started(tb testing.TB) *pgserver.Server {
	tb.Helper()
	if testing.Short() {
		tb.Skip("LEFT OUT of make unit: it needs PostgreSQL, and make test runs it")
	}
	s, err := start()
	if err != nil {
		if errors.Is(err, exec.ErrNotFound) && os.Getenv(RequireEnv) == "" {
			tb.Skipf("LEFT OUT, because there is no PostgreSQL: %v. Debian's package postgresql has it", err)
		}
		tb.Fatalf("PostgreSQL for tests: %v", err)
	}
	return s
}
