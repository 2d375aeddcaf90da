package exporter_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// checklist 22 23: an export whose files wait in a volume goes on after each failure that
// passes: of an upload, of its answer, of a listing, and of the token.
func TestTransientFaultsOfAVolume(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newFixture(t, s)
	// More entries than one page of a listing.
	many := fakeAudience{fields: fields("id", "int", "name", "string")}
	for n := range 101 {
		many.rows = append(many.rows, row(fmt.Sprint(n), "n"))
	}
	const upload = "part-" // the path of a file of rows
	for name, c := range map[string]struct {
		fault    sandboxtest.Fault
		audience fakeAudience
	}{
		"an upload is refused once":       {sandboxtest.Fault{Kind: "s3_error", On: "PutFile", Match: upload}, twoProfiles},
		"an upload meets 503 three times": {sandboxtest.Fault{Kind: "unavailable", On: "PutFile", Match: upload, Times: 3}, twoProfiles},
		"an upload is stored, then 503":   {sandboxtest.Fault{Kind: "unavailable", On: "PutFile", Match: upload, Form: "after"}, twoProfiles},
		"an upload meets 429":             {sandboxtest.Fault{Kind: "too_many_requests", On: "PutFile", Match: upload, RetryAfter: 1}, twoProfiles},
		"an upload is cut":                {sandboxtest.Fault{Kind: "cut", On: "PutFile", Match: upload}, twoProfiles},
		"the marker of the run is cut":    {sandboxtest.Fault{Kind: "cut", On: "PutFile", Match: "_run"}, twoProfiles},
		"a directory is refused once":     {sandboxtest.Fault{Kind: "unavailable", On: "PutDirectory"}, twoProfiles},
		"a listing is cut":                {sandboxtest.Fault{Kind: "cut", On: "GetDirectory"}, twoProfiles},
		"a removal meets 503":             {sandboxtest.Fault{Kind: "unavailable", On: "DeleteFile", Form: "after"}, twoProfiles},
		"the second page of a listing fails": {
			sandboxtest.Fault{Kind: "unavailable", On: "GetDirectory", Match: "/rn_[^/]*$", After: 1}, many,
		},
	} {
		if sandboxtest.Spark() && len(c.audience.rows) > 2 {
			continue // the fault is that of the listing; loading 101 files takes a minute on Spark
		}
		b.staging = volumeStaging{b.openVolume(b.database)}
		s.SetFault(t, c.fault)
		err := b.export(c.audience, withFileBytes(1)).Run(t.Context())
		hits := s.FaultHits(t)
		s.ClearFaults(t)
		if err != nil || hits == 0 {
			t.Errorf("%s: got the error %v after %d hits, want none after one", name, err, hits)
			continue
		}
		if got := b.query("SELECT count(*), count(DISTINCT id) FROM " + b.table()); fmt.Sprint(got[0]) != fmt.Sprint([]int{len(c.audience.rows), len(c.audience.rows)}) {
			t.Errorf("%s: got the rows %v, want %d", name, got, len(c.audience.rows))
		}
		b.wantNoLeftovers()
	}
}

// checklist 25: a token that expires between two uploads of a run is replaced by a new one.
func TestATokenExpiresDuringUploadsToAVolume(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newFixture(t, s)
	// The token is a new one as soon as the sandbox has revoked the first.
	var renewal sync.Once
	token := func(context.Context) (jobs.Secret, error) {
		if s.FaultHits(t) == 0 {
			return jobs.NewSecret(s.Token), nil
		}
		renewal.Do(func() { s.SetToken(t, "dapi-renewed") })
		return jobs.NewSecret("dapi-renewed"), nil
	}
	workspace := b.workspace()
	workspace.Token = token
	volume, err := staging.OpenVolume(t.Context(), volumeOf(b.database), workspace)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(volume.Close)
	b.staging = volumeStaging{volume}
	s.SetFault(t, sandboxtest.Fault{Kind: "token_revoked", On: "PutFile", Match: "part-", After: 1})
	audience := fakeAudience{fields: twoProfiles.fields}
	for n := range 3 {
		audience.rows = append(audience.rows, row(fmt.Sprint(n), "n"))
	}
	e := b.export(audience, withFileBytes(1))
	e.Connect = func(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
		cfg := workspace
		cfg.QueryTimeout = queryTimeout
		return databricks.Open(ctx, cfg)
	}
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.FaultHits(t) != 1 {
		t.Error("got no token that expired, want one")
	}
	got, err := volume.List(t.Context(), "exports")
	if err != nil || len(got) != 0 {
		t.Errorf("got the staged files %v, %v, want none", got, err)
	}
	progress := b.progress.counts
	if progress.RowsWritten != int64(len(audience.rows)) {
		t.Errorf("got %d rows written, want %d", progress.RowsWritten, len(audience.rows))
	}
}

func withFileBytes(n int) func(*exporter.Export) { return func(e *exporter.Export) { e.FileBytes = n } }
