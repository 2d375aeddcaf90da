package engine

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Catalogs implements jobs.Catalog.
func (e *Engine) Catalogs(ctx context.Context, authorizationID, pattern string) ([]jobs.CatalogInfo, error) {
	return read(ctx, e, authorizationID, func(wh *databricks.Warehouse) ([]jobs.CatalogInfo, error) {
		return wh.Catalogs(ctx, pattern)
	})
}

// Databases implements jobs.Catalog.
func (e *Engine) Databases(ctx context.Context, authorizationID, catalog, pattern string) ([]jobs.DatabaseInfo, error) {
	return read(ctx, e, authorizationID, func(wh *databricks.Warehouse) ([]jobs.DatabaseInfo, error) {
		return wh.Databases(ctx, catalog, pattern)
	})
}

// Tables implements jobs.Catalog.
func (e *Engine) Tables(ctx context.Context, authorizationID, catalog, database, pattern string) ([]jobs.TableInfo, error) {
	return read(ctx, e, authorizationID, func(wh *databricks.Warehouse) ([]jobs.TableInfo, error) {
		return wh.Tables(ctx, catalog, database, pattern)
	})
}

// Columns implements jobs.Catalog.
func (e *Engine) Columns(ctx context.Context, authorizationID string, table jobs.TableName, pattern string) ([]jobs.ColumnInfo, error) {
	return read(ctx, e, authorizationID, func(wh *databricks.Warehouse) ([]jobs.ColumnInfo, error) {
		return wh.Columns(ctx, table, pattern)
	})
}

// read opens a session for one look at the catalog.
func read[T any](ctx context.Context, e *Engine, authorizationID string, f func(*databricks.Warehouse) ([]T, error)) ([]T, error) {
	wh, err := e.reader(ctx, authorizationID)
	if err != nil {
		return nil, err
	}
	out, err := f(wh)
	if closeErr := wh.Close(); err == nil { // after a failure it says nothing new
		err = closeErr
	}
	return out, err
}
