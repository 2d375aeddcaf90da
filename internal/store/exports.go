package store

import (
	"context"
	"encoding/json"
	"slices"
)

// ExportOwners returns the ids of all jobs that this store has had for an export's
// key. A target table that carries one of these ids belongs to the export.
func (d *DB) ExportOwners(ctx context.Context, key string) ([]string, error) {
	document, err := readDocument(ctx, d.Read(), key)
	if document == nil || err != nil {
		return nil, d.failed("Cannot read the store", err)
	}
	var ids []string
	if err := json.Unmarshal(document, &ids); err != nil {
		return nil, corrupt("export "+key, err)
	}
	return ids, nil
}

// AddExportOwner adds a job's id to those of an export's key.
func (d *DB) AddExportOwner(ctx context.Context, key, jobID string) error {
	ids, err := d.ExportOwners(ctx, key)
	if err != nil || slices.Contains(ids, jobID) {
		return err
	}
	document, err := json.Marshal(append(ids, jobID))
	if err != nil {
		return err
	}
	return d.Write(ctx, func(tx *Tx) error { return PutCursorDocument(ctx, tx, key, document) })
}
