package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

func (s *Server) describeCatalog(api huma.API) {
	a := s.config.API
	type inWarehouse struct {
		ID      string `path:"id"`
		Pattern string `query:"pattern" doc:"A SHOW ... LIKE pattern: * matches any characters, | separates alternatives. The default is all."`
		Paging
	}
	type inCatalog struct {
		ID      string `path:"id"`
		Catalog string `query:"catalog" required:"true"`
		Pattern string `query:"pattern" doc:"A pattern, as for catalogs."`
		Paging
	}
	type inDatabase struct {
		ID       string `path:"id"`
		Catalog  string `query:"catalog" required:"true"`
		Database string `query:"database" required:"true"`
		Pattern  string `query:"pattern" doc:"A pattern, as for catalogs."`
		Paging
	}
	type inTable struct {
		ID       string `path:"id"`
		Catalog  string `query:"catalog" required:"true"`
		Database string `query:"database" required:"true"`
		Table    string `query:"table" required:"true"`
		Pattern  string `query:"pattern" doc:"A pattern, as for catalogs."`
		Paging
	}
	type query struct {
		Paging
		Body protocol.CatalogQuery
	}
	register(api, route{http.MethodPost, "/catalog", "list-catalog", "List a part of a catalog through a connection that is not saved"},
		func(ctx context.Context, in *query) (*onePage[protocol.CatalogListing], error) {
			listing, err := a.ListCatalog(ctx, in.Body.Jobs())
			if err != nil {
				return nil, err
			}
			return pageOfListing(in.Paging, protocol.CatalogListingOf(listing))
		})
	const base = "/authorizations/{id}"
	register(api, route{http.MethodGet, base + "/catalogs", "list-catalogs", "List the warehouse's catalogs"},
		func(ctx context.Context, in *inWarehouse) (*onePage[[]protocol.CatalogInfo], error) {
			all, err := a.Catalogs(ctx, in.ID, in.Pattern)
			if err != nil {
				return nil, err
			}
			return pageOf(in.Paging, list(all, func(v jobs.CatalogInfo) protocol.CatalogInfo { return protocol.CatalogInfo(v) }),
				func(_ int, v protocol.CatalogInfo) string { return v.Name })
		})
	register(api, route{http.MethodGet, base + "/databases", "list-databases", "List a catalog's databases"},
		func(ctx context.Context, in *inCatalog) (*onePage[[]protocol.DatabaseInfo], error) {
			all, err := a.Databases(ctx, in.ID, in.Catalog, in.Pattern)
			if err != nil {
				return nil, err
			}
			return pageOf(in.Paging, list(all, func(v jobs.DatabaseInfo) protocol.DatabaseInfo { return protocol.DatabaseInfo(v) }),
				func(_ int, v protocol.DatabaseInfo) string { return v.Name })
		})
	register(api, route{http.MethodGet, base + "/tables", "list-tables", "List a database's tables and views"},
		func(ctx context.Context, in *inDatabase) (*onePage[[]protocol.TableInfo], error) {
			all, err := a.Tables(ctx, in.ID, in.Catalog, in.Database, in.Pattern)
			if err != nil {
				return nil, err
			}
			return pageOf(in.Paging, list(all, func(v jobs.TableInfo) protocol.TableInfo { return protocol.TableInfo(v) }),
				func(_ int, v protocol.TableInfo) string { return v.Name })
		})
	register(api, route{http.MethodGet, base + "/columns", "list-columns", "List a table's columns"},
		func(ctx context.Context, in *inTable) (*onePage[[]protocol.ColumnInfo], error) {
			table := jobs.TableName{Catalog: in.Catalog, Database: in.Database, Table: in.Table}
			all, err := a.Columns(ctx, in.ID, table, in.Pattern)
			if err != nil {
				return nil, err
			}
			return pageOf(in.Paging, list(all, func(v jobs.ColumnInfo) protocol.ColumnInfo { return protocol.ColumnInfo(v) }),
				func(_ int, v protocol.ColumnInfo) string { return v.Name })
		})
}

// pageOfListing cuts a page out of the level that a listing has.
func pageOfListing(p Paging, l protocol.CatalogListing) (*onePage[protocol.CatalogListing], error) {
	var link string
	err := errors.Join(
		cutLevel(p, &l.Catalogs, func(v protocol.CatalogInfo) string { return v.Name }, &link),
		cutLevel(p, &l.Databases, func(v protocol.DatabaseInfo) string { return v.Name }, &link),
		cutLevel(p, &l.Tables, func(v protocol.TableInfo) string { return v.Name }, &link),
		cutLevel(p, &l.Columns, func(v protocol.ColumnInfo) string { return v.Name }, &link),
	)
	return &onePage[protocol.CatalogListing]{Link: link, Body: l}, err
}

// cutLevel cuts a page out of a level; a level that a listing does not have is empty.
func cutLevel[T any](p Paging, level *[]T, name func(T) string, link *string) error {
	if len(*level) == 0 {
		return nil
	}
	page, err := pageOf(p, *level, func(_ int, v T) string { return name(v) })
	if err == nil {
		*level, *link = page.Body, page.Link
	}
	return err
}
