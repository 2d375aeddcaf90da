package importer

import (
	"context"
	"errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// readOnlyCursors ignores writes.
type readOnlyCursors struct{ CursorStore }

func (readOnlyCursors) Write(context.Context, func(*store.Tx) error) error { return nil }

// noProgress ignores progress.
type noProgress struct{}

func (noProgress) Phase(string, int64)      {}
func (noProgress) Advance(int64)            {}
func (noProgress) Count(func(*jobs.Counts)) {}

// readOnlySource creates no copies and drops none.
type readOnlySource struct {
	source
	// copied is the copy that a run would create, and statement how.
	copied    *snapshot
	statement string
}

var errDryRun = errors.New("a dry run drops no table")

func (l *readOnlySource) copy(_ context.Context, of snapshot, name string, from int64) (snapshot, error) {
	copied, statement, err := copyStatement(of, name, from)
	l.copied, l.statement = &copied, statement
	if of.version == nil {
		of.label = "the source as it is now"
	}
	return of, err
}

func (l *readOnlySource) drop(context.Context, string) error { return errDryRun }
