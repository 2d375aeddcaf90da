package exporter_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// noProgress ignores progress.
type noProgress struct{}

func (noProgress) Phase(string, int64)      {}
func (noProgress) Advance(int64)            {}
func (noProgress) Count(func(*jobs.Counts)) {}
func (noProgress) Warn(string)              {}

// The definition's query timeout bounds the statements of each session, of a run
// and of a dry run.
func TestQueryTimeoutOfTheDefinitionIsUsed(t *testing.T) {
	t.Parallel()
	const want = 7 * time.Minute
	refused := errors.New("no session")
	got := []time.Duration{}
	e := &exporter.Export{JobID: "jb_1", RunID: "rn_1", QueryTimeout: want, Progress: noProgress{},
		Spec: jobs.AudienceExport{AudienceID: "everyone", Catalog: "main", Database: "crm", TableName: "people"},
		Connect: func(_ context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
			got = append(got, queryTimeout)
			return nil, refused
		}}
	if err := e.Run(t.Context()); !errors.Is(err, refused) {
		t.Errorf("a run: got the error %v, want %v", err, refused)
	}
	if _, err := e.DryRun(t.Context()); !errors.Is(err, refused) {
		t.Errorf("a dry run: got the error %v, want %v", err, refused)
	}
	if len(got) != 2 || got[0] != want || got[1] != want {
		t.Errorf("got sessions with the query timeouts %v, want two of %v", got, want)
	}
}
