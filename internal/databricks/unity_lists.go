package databricks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/databricks/databricks-sdk-go/service/catalog"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Catalogs lists the catalogs that match a SHOW ... LIKE pattern. It does not list
// hive_metastore, which does not belong to Unity Catalog.
func (u *UnityCatalog) Catalogs(ctx context.Context, pattern string) ([]jobs.CatalogInfo, error) {
	all, err := u.list(ctx, "catalogs", pattern, func(page string) any {
		return catalog.ListCatalogsRequest{PageToken: page, ForceSendFields: []string{"MaxResults"}}
	})
	if err != nil {
		return nil, u.explain(ctx, err, jobs.TableName{})
	}
	out := make([]jobs.CatalogInfo, len(all))
	for i, c := range all {
		out[i] = jobs.CatalogInfo{Name: c.Name, Comment: c.Comment}
	}
	return out, nil
}

// Databases lists a catalog's databases that match a pattern.
func (u *UnityCatalog) Databases(ctx context.Context, catalogName, pattern string) ([]jobs.DatabaseInfo, error) {
	all, err := u.list(ctx, "schemas", pattern, func(page string) any {
		return catalog.ListSchemasRequest{CatalogName: catalogName, PageToken: page, ForceSendFields: []string{"MaxResults"}}
	})
	if err != nil {
		return nil, u.explain(ctx, err, jobs.TableName{Catalog: catalogName})
	}
	out := make([]jobs.DatabaseInfo, len(all))
	for i, s := range all {
		out[i] = jobs.DatabaseInfo{Catalog: catalogName, Name: s.Name, Comment: s.Comment}
	}
	return out, nil
}

// Tables lists a database's tables and views that match a pattern.
func (u *UnityCatalog) Tables(ctx context.Context, catalogName, database, pattern string) ([]jobs.TableInfo, error) {
	all, err := u.list(ctx, "tables", pattern, func(page string) any {
		return catalog.ListTablesRequest{
			CatalogName: catalogName, SchemaName: database, OmitColumns: true, OmitProperties: true,
			PageToken: page, ForceSendFields: []string{"MaxResults"},
		}
	})
	if err != nil {
		return nil, u.explain(ctx, err, jobs.TableName{Catalog: catalogName, Database: database})
	}
	out := make([]jobs.TableInfo, len(all))
	for i, t := range all {
		out[i] = jobs.TableInfo{Name: t.Name, Type: t.TableType, Comment: t.Comment}
	}
	return out, nil
}

// listed is an entry of a list. The SDK's types for entries need a kilobyte each, even for
// an entry that is empty.
type listed struct {
	Name      string `json:"name"`
	Comment   string `json:"comment"`
	TableType string `json:"table_type"`
}

// errListTooLong ends a list whose pages take longer than listTimeout.
var errListTooLong = &egress.PagesError{Why: fmt.Sprintf("not all of its pages came within %s", listTimeout)}

// list reads all pages of a list, and returns the entries that match a pattern, ordered by
// name. The SDK's own lists follow the page tokens without a limit. request returns the
// SDK's request for a page; MaxResults is sent as 0, with which Unity Catalog chooses the
// length of a page.
func (u *UnityCatalog) list(ctx context.Context, kind, pattern string, request func(page string) any) ([]listed, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, listTimeout, errListTooLong)
	defer cancel()
	match, bounds, out := jobs.NamePattern(pattern), pages(), []listed{}
	headers := map[string]string{"Accept": "application/json"}
	for page := ""; ; {
		var reply struct {
			Catalogs []listed `json:"catalogs"`
			Schemas  []listed `json:"schemas"`
			Tables   []listed `json:"tables"`
			Next     string   `json:"next_page_token"`
		}
		err := u.client.Do(ctx, http.MethodGet, "/api/2.1/unity-catalog/"+kind, headers, nil, request(page), &reply)
		if errors.Is(context.Cause(ctx), errListTooLong) {
			return nil, errListTooLong
		}
		if err != nil {
			return nil, err
		}
		entries, kept := map[string][]listed{"catalogs": reply.Catalogs, "schemas": reply.Schemas, "tables": reply.Tables}[kind], int64(0)
		for _, e := range entries {
			if match(e.Name) {
				out = append(out, e)
				kept += int64(len(e.Name)+len(e.Comment)+len(e.TableType)) + entryBytes
			}
		}
		if err := bounds.Next(reply.Next, len(entries), kept); err != nil {
			return nil, err
		}
		if page = reply.Next; page == "" {
			break
		}
	}
	slices.SortFunc(out, func(a, b listed) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
