package importer

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// The definition's query timeout bounds the statements of each session, of a run
// and of a dry run.
func TestQueryTimeoutOfTheDefinitionIsUsed(t *testing.T) {
	t.Parallel()
	db, err := storetest.Open(t.Context(), store.Location{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	const want = 7 * time.Minute
	refused := errors.New("no session")
	got := []time.Duration{}
	i := &Import{Key: "k", Cursors: db, QueryTimeout: want, Progress: &countedProgress{}}
	i.Connect = func(_ context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
		got = append(got, queryTimeout)
		return nil, refused
	}
	if err := i.Run(t.Context()); !errors.Is(err, refused) {
		t.Errorf("a run: got the error %v, want %v", err, refused)
	}
	if _, err := i.DryRun(t.Context()); !errors.Is(err, refused) {
		t.Errorf("a dry run: got the error %v, want %v", err, refused)
	}
	if len(got) != 2 || got[0] != want || got[1] != want {
		t.Errorf("got sessions with the query timeouts %v, want two of %v", got, want)
	}
}
