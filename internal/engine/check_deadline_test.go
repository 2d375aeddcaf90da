package engine_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// checklist 81: the check of an authorization ends at the deadline of its caller where the
// warehouse accepts connections and never answers, and nothing is saved.
func TestTheCheckOfAnAuthorizationHasADeadline(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), succeed)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0") // which accepts nothing: the system does
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	at, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("the address is %v", listener.Addr())
	}
	secret := jobs.NewSecret("dapi-6")
	change := jobs.AuthorizationChange{Token: &secret, AuthorizationSpec: jobs.AuthorizationSpec{
		Label: "silent", Host: "http://127.0.0.1", Port: at.Port, HTTPPath: "/sql/1.0/warehouses/a", CheckConnection: true}}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	got, err := e.CreateAuthorization(ctx, change)
	if err == nil || ctx.Err() == nil {
		t.Errorf("got %+v, %v; want an error at the deadline", got, err)
	}
	if all, err := e.ListAuthorizations(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("got %+v, %v; want no authorization", all, err)
	}
}
