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
	if err != nil {
		return nil, d.failed("Cannot read the store", err)
	}
	return exportOwners(key, document)
}

// AddExportOwner adds a job's id to those of an export's key.
func (d *DB) AddExportOwner(ctx context.Context, key, jobID string) error {
	return d.Write(ctx, func(tx *Tx) error {
		document, err := readDocument(ctx, tx, key)
		if err != nil {
			return err
		}
		ids, err := exportOwners(key, document)
		if err != nil || slices.Contains(ids, jobID) {
			return err
		}
		if document, err = json.Marshal(append(ids, jobID)); err != nil {
			return err
		}
		return PutCursorDocument(ctx, tx, key, document)
	})
}

// exportOwners reads the ids in the document of an export's key.
func exportOwners(key string, document []byte) (ids []string, err error) {
	if document == nil {
		return nil, nil
	}
	if err := json.Unmarshal(document, &ids); err != nil {
		return nil, corrupt("export "+key, err)
	}
	return ids, nil
}
