package conformance_test

import (
	"context"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/conformance"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/s3test"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

func TestEmbedded(t *testing.T) {
	t.Parallel()
	conformance.Run(t, openEmbedded)
}

func TestEmbeddedFleet(t *testing.T) {
	t.Parallel()
	conformance.Run(t, func(t *testing.T) conformance.Subject {
		t.Helper()
		db := openStoreAt(t, store.Location{DatabaseURL: jobs.NewSecret(storetest.URL(t))})
		return embeddedSubject(t, embedded.Config{DB: db, Segments: func(ctx context.Context) (embedded.Objects, error) {
			return staging.Open(ctx, s3test.New(t).Config)
		}})
	})
}

// A fleet on a cloud without the API of S3 keeps its events in a Unity Catalog volume.
func TestEmbeddedFleetInAVolume(t *testing.T) {
	t.Parallel()
	sandbox := sandboxtest.Start(t)
	conformance.Run(t, func(t *testing.T) conformance.Subject {
		t.Helper()
		db := openStoreAt(t, store.Location{DatabaseURL: jobs.NewSecret(storetest.URL(t))})
		return embeddedSubject(t, embedded.Config{DB: db, Segments: func(ctx context.Context) (embedded.Objects, error) {
			return staging.OpenEventVolume(ctx, staging.VolumeConfig{Catalog: "main", Schema: "default", Volume: "staging"}, databricks.Config{
				Host: sandbox.Host, Port: sandbox.Port, AllowPrivateHosts: true,
				Token: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(sandbox.Token), nil },
			})
		}})
	})
}

func openEmbedded(t *testing.T) conformance.Subject {
	t.Helper()
	return embeddedSubject(t, embedded.Config{DB: openStore(t)})
}

func embeddedSubject(t *testing.T, c embedded.Config) conformance.Subject {
	t.Helper()
	p, err := embedded.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, p.Close) })
	return conformance.Subject{Platform: p, DB: c.DB, CountsBytes: true, Settle: func(ctx context.Context) error {
		_, err := p.BuildProfiles(ctx, nil)
		return err
	}}
}

func TestLytics(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]lyticstest.Options{
		"strict": {},
		"patches": {Patches: true, AccountID: "4f7b525bdba058fc096757a6", Switches: lyticstest.Switches{
			HideIDs: true, MappingByCollection: true, AccountV1: true, ErasureLooks: 5,
		}},
		"other readings": {Switches: lyticstest.Switches{
			StopKeepsNothing: true, CountRejected: true, BlindDryRun: true, StreamCountCT: true, StatusText: true, ScanNext: true,
			AcceptArrays: true, AcceptGzip: true, ValidateTextOnly: true, EvaluateToNothing: true,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && name != "strict" {
				t.Skip("LEFT OUT of make unit: make test runs the suite under all switches")
			}
			conformance.Run(t, func(t *testing.T) conformance.Subject {
				t.Helper()
				return openLytics(t, o)
			})
		})
	}
}

func openLytics(t *testing.T, o lyticstest.Options) conformance.Subject {
	t.Helper()
	o.Token = "0123456789abcdef"
	s, err := lyticstest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closing(t, s.Close)
		for _, w := range s.Wrong() {
			t.Errorf("a request that is not as documented: %s", w)
		}
	})
	db := openStore(t)
	p, err := lytics.Open(lytics.Config{
		Token:  func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(o.Token), nil },
		APIURL: s.APIURL, BulkURL: s.BulkURL, AccountID: o.AccountID, DB: db,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, p.Close) })
	return conformance.Subject{Platform: p, DB: db, Settle: func(context.Context) error { return nil }}
}

func openStore(t *testing.T) *store.DB {
	t.Helper()
	return openStoreAt(t, store.Location{Dir: t.TempDir()})
}

func openStoreAt(t *testing.T, at store.Location) *store.DB {
	t.Helper()
	db, err := storetest.Open(context.Background(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, db.Close) })
	return db
}

func closing(t *testing.T, f func() error) {
	t.Helper()
	if err := f(); err != nil {
		t.Errorf("close: %v", err)
	}
}
