package jobstest

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// The contents of the warehouse's catalog.
var (
	catalogs  = []jobs.CatalogInfo{{Name: "hive_metastore"}, {Name: "main", Comment: "ours"}}
	databases = []jobs.DatabaseInfo{{Catalog: "main", Name: "sales"}}
	tables    = []jobs.TableInfo{{Name: "customers", Type: "MANAGED", Comment: "who buys"}, {Name: "orders", Type: "VIEW"}}
	columns   = []jobs.ColumnInfo{
		{Name: "id", Type: "bigint", Position: 1},
		{Name: "updated_at", Type: "timestamp", Nullable: true, Comment: "when", Position: 2},
	}
)

// list returns the objects whose names match a SHOW ... LIKE pattern. The first
// of args is the authorization's id, the last one is the pattern.
func list[T any](ctx context.Context, f *Fake, method string, args []any, all []T, name func(T) string) ([]T, error) {
	return read(ctx, f, method, args, func(s *Store) ([]T, error) {
		authorizationID, _ := args[0].(string)
		pattern, _ := args[len(args)-1].(string)
		if _, err := get(s.Authorizations, "authorization", authorizationID); err != nil {
			if e, ok := errors.AsType[*jobs.Error](err); ok {
				e.Attribute = "authorization_id"
			}
			return nil, err
		}
		return matching(all, pattern, name), nil
	})
}

func matches(pattern, name string) bool {
	return pattern == "" || slices.ContainsFunc(strings.Split(pattern, "|"), func(p string) bool {
		ok, err := path.Match(strings.ToLower(p), strings.ToLower(name))
		return ok && err == nil
	})
}

// Catalogs implements jobs.Catalog.
func (f *Fake) Catalogs(ctx context.Context, id, pattern string) ([]jobs.CatalogInfo, error) {
	return list(ctx, f, "Catalogs", []any{id, pattern}, catalogs, func(v jobs.CatalogInfo) string { return v.Name })
}

// Databases implements jobs.Catalog.
func (f *Fake) Databases(ctx context.Context, id, catalog, pattern string) ([]jobs.DatabaseInfo, error) {
	args := []any{id, catalog, pattern}
	all := slices.DeleteFunc(slices.Clone(databases), func(v jobs.DatabaseInfo) bool { return v.Catalog != catalog })
	if len(all) > 0 {
		return list(ctx, f, "Databases", args, all, func(v jobs.DatabaseInfo) string { return v.Name })
	}
	return read(ctx, f, "Databases", args, func(*Store) ([]jobs.DatabaseInfo, error) {
		return nil, jobs.Invalid("catalog", "There is no catalog "+catalog, "The warehouse has none.", "Use main.")
	})
}

// Tables implements jobs.Catalog.
func (f *Fake) Tables(ctx context.Context, id, catalog, database, pattern string) ([]jobs.TableInfo, error) {
	return list(ctx, f, "Tables", []any{id, catalog, database, pattern}, tables, func(v jobs.TableInfo) string { return v.Name })
}

// Columns implements jobs.Catalog.
func (f *Fake) Columns(ctx context.Context, id string, table jobs.TableName, pattern string) ([]jobs.ColumnInfo, error) {
	return list(ctx, f, "Columns", []any{id, table, pattern}, columns, func(v jobs.ColumnInfo) string { return v.Name })
}

// ListCatalog implements jobs.Catalog. It needs no store.
func (f *Fake) ListCatalog(ctx context.Context, q jobs.CatalogQuery) (jobs.CatalogListing, error) {
	return answer(ctx, f, "ListCatalog", []any{q}, func() (jobs.CatalogListing, error) {
		var out jobs.CatalogListing
		if q.Connection.TokenEnv == "" && q.Connection.Login == nil {
			return out, jobs.Invalid("token_env", "The connection has no credential", "It refers to none.", "Set token_env")
		}
		if q.Level != jobs.LevelCatalogs && q.In.Catalog != "main" {
			return out, jobs.Invalid("catalog", "There is no catalog "+q.In.Catalog, "The warehouse has none.", "Use main.")
		}
		switch q.Level {
		case jobs.LevelCatalogs:
			out.Catalogs = matching(catalogs, q.Pattern, func(v jobs.CatalogInfo) string { return v.Name })
		case jobs.LevelDatabases:
			out.Databases = matching(databases, q.Pattern, func(v jobs.DatabaseInfo) string { return v.Name })
		case jobs.LevelTables:
			out.Tables = matching(tables, q.Pattern, func(v jobs.TableInfo) string { return v.Name })
		case jobs.LevelColumns:
			out.Columns = matching(columns, q.Pattern, func(v jobs.ColumnInfo) string { return v.Name })
		default:
			return out, jobs.Invalid("level", "There is no level "+string(q.Level), "There are four.", "Use one of them")
		}
		return out, nil
	})
}

func matching[T any](all []T, pattern string, name func(T) string) []T {
	return slices.DeleteFunc(slices.Clone(all), func(v T) bool { return !matches(pattern, name(v)) })
}
