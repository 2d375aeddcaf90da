package embedded_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/pgtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// newVolumeFleet returns a fleet that keeps its events in the volume of a sandbox.
func newVolumeFleet(t *testing.T, s *sandboxtest.Sandbox) (*deploymentTest, *staging.Volume) {
	t.Helper()
	open := func(ctx context.Context) (*staging.Volume, error) {
		return staging.OpenEventVolume(ctx, staging.VolumeConfig{Catalog: "main", Schema: "default", Volume: "staging", Prefix: store.NewID("p")},
			databricks.Config{
				Host: s.Host, Port: s.Port, AllowPrivateHosts: true,
				Token: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(s.Token), nil },
			})
	}
	volume, err := open(t.Context())
	check(t, err)
	t.Cleanup(volume.Close)
	return &deploymentTest{t, deployment{
		url: pgtest.URL(t), open: func(context.Context) (embedded.Objects, error) { return withoutClose{volume}, nil },
	}}, volume
}

// withoutClose keeps the volume open for the other platforms of the test.
type withoutClose struct{ embedded.Objects }

// checklist 31, 37: events in a volume are appended and read once each, whatever fails for
// a moment, and what a dead writer left is removed.
func TestEventsInAVolume(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	f, volume := newVolumeFleet(t, s)
	dead, b := f.open(), f.open()
	for n, fault := range []sandboxtest.Fault{
		{Kind: "unavailable", On: "PutFile"},
		{Kind: "unavailable", On: "PutFile", Form: "after"},
		{Kind: "cut", On: "PutFile"},
		{Kind: "too_many_requests", On: "PutFile", RetryAfter: 1},
		{Kind: "cut", On: "GetFile"},
		{Kind: "unavailable", On: "GetFile"},
	} {
		s.SetFault(t, fault)
		b.mustAppend(f, "s", secondsApart(fmt.Sprintf(`{"a":%d,"text":"%s"}`, n, strings.Repeat("x", 2000))))
		if got := b.stored(f, "s"); len(got) != n+1 {
			t.Errorf("%+v: got %d events, want %d", fault, len(got), n+1)
		}
		if s.FaultHits(t) == 0 {
			t.Errorf("%+v: the fault hit no call", fault)
		}
		s.ClearFaults(t)
	}
	// An upload that fails for good commits nothing; the next one goes on.
	s.SetFault(t, sandboxtest.Fault{Kind: "s3_error", On: "PutFile", Status: 400, Message: "no luck", Times: -1})
	if _, err := b.Append(t.Context(), "s", secondsApart(`{"a":"refused"}`), nil); err == nil || !strings.Contains(err.Error(), "no luck") {
		t.Errorf("got the error %v of an upload that is refused, want that of the workspace", err)
	}
	s.ClearFaults(t)
	check(f, embedded.UploadOnly(f.Context(), dead.Platform, "s", "left behind"))
	f.expire()
	f.open().mustAppend(f, "s", secondsApart(`{"a":"last"}`))
	if got := b.stored(f, "s"); len(got) != 7 {
		t.Errorf("got %d events, want 7", len(got))
	}
	files, err := volume.List(t.Context(), "segments")
	if err != nil || len(files) != 7 {
		t.Errorf("got the files %v, %v, want one for each of the 7 appends", files, err)
	}
	// A file that is missing is found, and not read as an empty one.
	check(t, volume.Remove(t.Context(), files[0].Key))
	var missing error
	for _, err := range b.Events(t.Context(), "s") {
		missing = err
	}
	if !jobs.IsCode(missing, jobs.CodeStore) {
		t.Errorf("got the error %v of a missing file, want one of the store", missing)
	}
}
