package engine

import (
	"context"
	"errors"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// catalogLister lists a workspace's catalogs: Unity Catalog's REST API, or the
// warehouse.
type catalogLister interface {
	Catalogs(ctx context.Context, pattern string) ([]jobs.CatalogInfo, error)
	Databases(ctx context.Context, catalog, pattern string) ([]jobs.DatabaseInfo, error)
	Tables(ctx context.Context, catalog, database, pattern string) ([]jobs.TableInfo, error)
	Columns(ctx context.Context, table jobs.TableName, pattern string) ([]jobs.ColumnInfo, error)
}

var (
	_ catalogLister = (*databricks.UnityCatalog)(nil)
	_ catalogLister = (*databricks.Warehouse)(nil)
)

// Catalogs implements jobs.Catalog.
func (e *Engine) Catalogs(ctx context.Context, authorizationID, pattern string) ([]jobs.CatalogInfo, error) {
	return listCatalog(ctx, e, authorizationID, "", func(l catalogLister) ([]jobs.CatalogInfo, error) { return l.Catalogs(ctx, pattern) })
}

// Databases implements jobs.Catalog.
func (e *Engine) Databases(ctx context.Context, authorizationID, catalog, pattern string) ([]jobs.DatabaseInfo, error) {
	return listCatalog(ctx, e, authorizationID, catalog, func(l catalogLister) ([]jobs.DatabaseInfo, error) {
		return l.Databases(ctx, catalog, pattern)
	})
}

// Tables implements jobs.Catalog.
func (e *Engine) Tables(ctx context.Context, authorizationID, catalog, database, pattern string) ([]jobs.TableInfo, error) {
	return listCatalog(ctx, e, authorizationID, catalog, func(l catalogLister) ([]jobs.TableInfo, error) {
		return l.Tables(ctx, catalog, database, pattern)
	})
}

// Columns implements jobs.Catalog.
func (e *Engine) Columns(ctx context.Context, authorizationID string, table jobs.TableName, pattern string) ([]jobs.ColumnInfo, error) {
	return listCatalog(
		ctx,
		e,
		authorizationID,
		table.Catalog,
		func(l catalogLister) ([]jobs.ColumnInfo, error) { return l.Columns(ctx, table, pattern) },
	)
}

// listCatalog calls f with Unity Catalog's REST API, which starts no warehouse; or
// with a session on the warehouse, where the authorization asks for SQL, for
// hive_metastore, and where there is no Unity Catalog.
func listCatalog[T any](ctx context.Context, e *Engine, authorizationID, catalog string, f func(catalogLister) ([]T, error)) ([]T, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return nil, err
	}
	row, err := db.Authorization(ctx, authorizationID)
	if err != nil {
		if err, ok := errors.AsType[*jobs.Error](err); ok {
			err.Attribute = "authorization_id"
		}
		return nil, err
	}
	if row.CatalogAPI != jobs.CatalogSQL && databricks.InUnityCatalog(catalog) {
		u, err := databricks.NewUnityCatalog(e.databricksConfig(row))
		if err != nil {
			return nil, err
		}
		defer u.Close()
		out, err := f(u)
		if !databricks.IsNoUnityCatalog(err) {
			return out, pointAtSecret(err, row)
		}
	}
	wh, err := e.connect(ctx, row, func(c *databricks.Config) { c.QueryTimeout = catalogTimeout })
	if err != nil {
		return nil, err
	}
	out, err := f(wh)
	if closeErr := wh.Close(); err == nil { // after a failure it says nothing new
		err = closeErr
	}
	return out, err
}

// catalogTimeout bounds each statement that reads the catalog.
const catalogTimeout = 5 * time.Minute
