package importer

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// pinCopy copies a source without versions and pins the copy.
func (r *run) pinCopy(ctx context.Context) error {
	columns, err := r.src.columns(ctx, nil)
	if err != nil {
		return err
	}
	t, err := r.adoptSchema(columns)
	if err != nil {
		return err
	}
	r.snap = snapshot{table: t}
	r.dropCopies(ctx)
	name := ""
	if r.imp.Spec.ScratchSchema != "" {
		if name, err = r.recordCopy(ctx); err != nil {
			return err
		}
	}
	r.imp.Progress.Phase("copying a source without versions", 0)
	if r.snap, err = r.src.copy(ctx, r.snap, name, min(r.window().from, r.cursor.firstUnread())); err != nil {
		return err
	}
	if err := r.count(ctx); err != nil {
		return err
	}
	return r.pin(ctx, PinnedSnapshot{Copy: name})
}

// newCopyName is a quoted name in the scratch schema that no other table has.
func (r *run) newCopyName() (string, error) {
	catalog, schema, err := jobs.ParseSchema(r.imp.Spec.ScratchSchema)
	if err != nil {
		return "", jobs.Invalid("scratch_schema", "The scratch schema cannot be used as it is", err.Error(), "")
	}
	random := make([]byte, 6)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	return databricks.QuoteTable(jobs.TableName{Catalog: catalog, Database: schema, Table: "lytics_copy_" + hex.EncodeToString(random)})
}

// dropCopies drops the copies that no snapshot needs any more. The next run
// tries again to drop those that could not be dropped, or not be recorded.
func (r *run) dropCopies(ctx context.Context) {
	if r.cursor.removeCopies(func(name string) bool { return r.src.drop(ctx, name) == nil }) {
		_ = r.imp.writeCursor(ctx, cursorChange{cursor: r.cursor})
	}
}
