package api

import (
	"context"
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
	}
	type inCatalog struct {
		ID      string `path:"id"`
		Catalog string `query:"catalog" required:"true"`
		Pattern string `query:"pattern" doc:"A pattern, as for catalogs."`
	}
	type inDatabase struct {
		ID       string `path:"id"`
		Catalog  string `query:"catalog" required:"true"`
		Database string `query:"database" required:"true"`
		Pattern  string `query:"pattern" doc:"A pattern, as for catalogs."`
	}
	type inTable struct {
		ID       string `path:"id"`
		Catalog  string `query:"catalog" required:"true"`
		Database string `query:"database" required:"true"`
		Table    string `query:"table" required:"true"`
		Pattern  string `query:"pattern" doc:"A pattern, as for catalogs."`
	}
	const base = "/authorizations/{id}"
	register(api, route{http.MethodGet, base + "/catalogs", "list-catalogs", "List the warehouse's catalogs"},
		func(ctx context.Context, in *inWarehouse) (*answer[[]protocol.CatalogInfo], error) {
			all, err := a.Catalogs(ctx, in.ID, in.Pattern)
			return &answer[[]protocol.CatalogInfo]{list(all, func(v jobs.CatalogInfo) protocol.CatalogInfo { return protocol.CatalogInfo(v) })}, err
		})
	register(api, route{http.MethodGet, base + "/databases", "list-databases", "List a catalog's databases"},
		func(ctx context.Context, in *inCatalog) (*answer[[]protocol.DatabaseInfo], error) {
			all, err := a.Databases(ctx, in.ID, in.Catalog, in.Pattern)
			return &answer[[]protocol.DatabaseInfo]{
				list(all, func(v jobs.DatabaseInfo) protocol.DatabaseInfo { return protocol.DatabaseInfo(v) }),
			}, err
		})
	register(api, route{http.MethodGet, base + "/tables", "list-tables", "List a database's tables and views"},
		func(ctx context.Context, in *inDatabase) (*answer[[]protocol.TableInfo], error) {
			all, err := a.Tables(ctx, in.ID, in.Catalog, in.Database, in.Pattern)
			return &answer[[]protocol.TableInfo]{list(all, func(v jobs.TableInfo) protocol.TableInfo { return protocol.TableInfo(v) })}, err
		})
	register(api, route{http.MethodGet, base + "/columns", "list-columns", "List a table's columns"},
		func(ctx context.Context, in *inTable) (*answer[[]protocol.ColumnInfo], error) {
			table := jobs.TableName{Catalog: in.Catalog, Database: in.Database, Table: in.Table}
			all, err := a.Columns(ctx, in.ID, table, in.Pattern)
			return &answer[[]protocol.ColumnInfo]{list(all, func(v jobs.ColumnInfo) protocol.ColumnInfo { return protocol.ColumnInfo(v) })}, err
		})
}
