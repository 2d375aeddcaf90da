package databricks

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
)

// Checklist 73: a panic of the driver is an error of the call. It shows no value, and keeps
// the frames for the run's log.
func TestAPanicOfTheDriverIsAnError(t *testing.T) {
	t.Parallel()
	type row struct{ email string }
	w := unsentWarehouse(t, Config{Host: "http://127.0.0.1", Port: 1, LoopbackHosts: true})
	c := newCall(t.Context(), false)
	err := w.translate(c, w.recovered(c, func() error { panic(row{"ann@example.com"}) }))
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || e.Code != jobs.CodeFailed || !strings.Contains(e.Summary, "is malformed") || strings.Contains(err.Error(), "ann@") {
		t.Errorf("got %#v, want an error about a malformed answer without the value", err)
	}
	p, ok := errors.AsType[*panics.Error](err)
	if !ok || len(p.Frames) == 0 || !strings.Contains(p.Frames[0], "TestAPanicOfTheDriverIsAnError") {
		t.Errorf("got %+v, want the frames of the panic", p)
	}
	if err := w.ready(); !IsSessionLost(err) {
		t.Errorf("got %v, want a session that is lost", err)
	}
}

// fakeConnector opens connections, and calls opening before each is returned.
type fakeConnector struct {
	opening func()
	closed  atomic.Int32
}

func (f *fakeConnector) Connect(context.Context) (driver.Conn, error) {
	f.opening()
	return &fakeConn{f}, nil
}

func (f *fakeConnector) Driver() driver.Driver { return nil }

type fakeConn struct{ of *fakeConnector }

func (c *fakeConn) Prepare(string) (driver.Stmt, error) { return nil, driver.ErrSkip }
func (c *fakeConn) Begin() (driver.Tx, error)           { return nil, driver.ErrSkip }
func (c *fakeConn) Close() error                        { c.of.closed.Add(1); return nil }

// A session that opens while its caller cancels is closed with the warehouse.
func TestASessionThatOpensDuringACancelIsClosed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	connector := &fakeConnector{opening: cancel}
	w := unsentWarehouse(t, Config{Host: "http://127.0.0.1", Port: 1, LoopbackHosts: true})
	w.db = sql.OpenDB(connector)
	if err := w.connect(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancelled call", err)
	}
	w.abandoned.Wait()
	w.close()
	if n := connector.closed.Load(); n != 1 {
		t.Errorf("%d sessions were closed, want 1", n)
	}
}
