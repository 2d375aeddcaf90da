package engine

import (
	"context"
	"errors"
	"fmt"
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
	l, err := e.listStored(ctx, authorizationID, jobs.CatalogQuery{Level: jobs.LevelCatalogs, Pattern: pattern})
	return l.Catalogs, err
}

// Databases implements jobs.Catalog.
func (e *Engine) Databases(ctx context.Context, authorizationID, catalog, pattern string) ([]jobs.DatabaseInfo, error) {
	l, err := e.listStored(ctx, authorizationID, jobs.CatalogQuery{
		Level: jobs.LevelDatabases, In: jobs.TableName{Catalog: catalog}, Pattern: pattern,
	})
	return l.Databases, err
}

// Tables implements jobs.Catalog.
func (e *Engine) Tables(ctx context.Context, authorizationID, catalog, database, pattern string) ([]jobs.TableInfo, error) {
	l, err := e.listStored(ctx, authorizationID, jobs.CatalogQuery{
		Level: jobs.LevelTables, In: jobs.TableName{Catalog: catalog, Database: database}, Pattern: pattern,
	})
	return l.Tables, err
}

// Columns implements jobs.Catalog.
func (e *Engine) Columns(ctx context.Context, authorizationID string, table jobs.TableName, pattern string) ([]jobs.ColumnInfo, error) {
	l, err := e.listStored(ctx, authorizationID, jobs.CatalogQuery{Level: jobs.LevelColumns, In: table, Pattern: pattern})
	return l.Columns, err
}

// ListCatalog implements jobs.Catalog.
func (e *Engine) ListCatalog(ctx context.Context, q jobs.CatalogQuery) (jobs.CatalogListing, error) {
	return e.listCatalog(ctx, CatalogQuestion{Query: q})
}

// listStored lists through an authorization of the store.
func (e *Engine) listStored(ctx context.Context, authorizationID string, q jobs.CatalogQuery) (jobs.CatalogListing, error) {
	return e.listCatalog(ctx, CatalogQuestion{Stored: true, AuthorizationID: authorizationID, Query: q})
}

// listCatalog answers the question in a worker process, where there are some, or here.
func (e *Engine) listCatalog(ctx context.Context, q CatalogQuestion) (jobs.CatalogListing, error) {
	var none jobs.CatalogListing
	via, err := e.toCatalog(ctx, q)
	if err != nil {
		return none, err
	}
	if !e.asksWorkers() {
		return listLevel(ctx, via, q.Query)
	}
	a, err := e.ask(ctx, via, Question{Catalog: &q})
	if err != nil || a.Catalog == nil {
		return none, err
	}
	return *a.Catalog, nil
}

// toCatalog is the way to the workspace of a question.
func (e *Engine) toCatalog(ctx context.Context, q CatalogQuestion) (connector, error) {
	switch q.Query.Level {
	case jobs.LevelCatalogs, jobs.LevelDatabases, jobs.LevelTables, jobs.LevelColumns:
	default:
		return connector{}, jobs.Invalid("level", fmt.Sprintf("There is no level %q of a catalog", q.Query.Level),
			"The levels are catalogs, databases, tables and columns.", "Ask for one of them")
	}
	if !q.Stored {
		return e.transient(jobs.AuthorizationChange{AuthorizationSpec: q.Query.Connection})
	}
	db, err := e.open(ctx, readStore)
	if err != nil {
		return connector{}, err
	}
	row, err := db.Authorization(ctx, q.AuthorizationID)
	if err != nil {
		if err, ok := errors.AsType[*jobs.Error](err); ok {
			err.Attribute = "authorization_id"
		}
		return connector{}, err
	}
	return e.stored(row), nil
}

// listLevel lists a level of a catalog.
func listLevel(ctx context.Context, via connector, q jobs.CatalogQuery) (out jobs.CatalogListing, err error) {
	switch q.Level {
	case jobs.LevelCatalogs:
		out.Catalogs, err = listIn(ctx, via, "", func(c catalogLister) ([]jobs.CatalogInfo, error) { return c.Catalogs(ctx, q.Pattern) })
	case jobs.LevelDatabases:
		out.Databases, err = listIn(ctx, via, q.In.Catalog, func(c catalogLister) ([]jobs.DatabaseInfo, error) {
			return c.Databases(ctx, q.In.Catalog, q.Pattern)
		})
	case jobs.LevelTables:
		out.Tables, err = listIn(ctx, via, q.In.Catalog, func(c catalogLister) ([]jobs.TableInfo, error) {
			return c.Tables(ctx, q.In.Catalog, q.In.Database, q.Pattern)
		})
	case jobs.LevelColumns:
		out.Columns, err = listIn(ctx, via, q.In.Catalog, func(c catalogLister) ([]jobs.ColumnInfo, error) {
			return c.Columns(ctx, q.In, q.Pattern)
		})
	}
	return out, err
}

// listIn calls f with Unity Catalog's REST API, which starts no warehouse; or
// with a session on the warehouse, where the authorization asks for SQL, for
// hive_metastore, and where there is no Unity Catalog.
func listIn[T any](ctx context.Context, via connector, catalog string, f func(catalogLister) ([]T, error)) ([]T, error) {
	row := via.row
	if via.asksUnity(catalog) {
		u, err := via.unityCatalog()
		if err != nil {
			return nil, err
		}
		defer u.Close()
		out, err := f(u)
		if !databricks.IsNoUnityCatalog(err) {
			return out, pointAtSecret(err, row)
		}
	}
	if row.HTTPPath == "" {
		return nil, jobs.Invalid("http_path", "The connection has no http_path",
			"Unity Catalog does not answer here, so a warehouse has to be asked.", "Give the http_path of a SQL warehouse")
	}
	wh, err := via.connect(ctx, func(c *databricks.Config) { c.QueryTimeout = catalogTimeout })
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
