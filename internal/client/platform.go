package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// listed reads a list and converts it.
func listed[W, T any](ctx context.Context, c *Client, path string, query url.Values, convert func(W) T) ([]T, error) {
	all, err := call[[]W](ctx, c, request{method: http.MethodGet, path: path, query: query})
	if err != nil {
		return nil, err
	}
	out := make([]T, len(all))
	for i, v := range all {
		out[i] = convert(v)
	}
	return out, nil
}

// Catalogs implements jobs.Catalog.
func (c *Client) Catalogs(ctx context.Context, authorizationID, pattern string) ([]jobs.CatalogInfo, error) {
	return listed(ctx, c, at("/authorizations/%s/catalogs", authorizationID), catalogQuery(pattern),
		func(v protocol.CatalogInfo) jobs.CatalogInfo { return jobs.CatalogInfo(v) })
}

// Databases implements jobs.Catalog.
func (c *Client) Databases(ctx context.Context, authorizationID, catalog, pattern string) ([]jobs.DatabaseInfo, error) {
	return listed(ctx, c, at("/authorizations/%s/databases", authorizationID), catalogQuery(pattern, catalog),
		func(v protocol.DatabaseInfo) jobs.DatabaseInfo { return jobs.DatabaseInfo(v) })
}

// Tables implements jobs.Catalog.
func (c *Client) Tables(ctx context.Context, authorizationID, catalog, database, pattern string) ([]jobs.TableInfo, error) {
	return listed(ctx, c, at("/authorizations/%s/tables", authorizationID), catalogQuery(pattern, catalog, database),
		func(v protocol.TableInfo) jobs.TableInfo { return jobs.TableInfo(v) })
}

// Columns implements jobs.Catalog.
func (c *Client) Columns(ctx context.Context, authorizationID string, t jobs.TableName, pattern string) ([]jobs.ColumnInfo, error) {
	return listed(ctx, c, at("/authorizations/%s/columns", authorizationID), catalogQuery(pattern, t.Catalog, t.Database, t.Table),
		func(v protocol.ColumnInfo) jobs.ColumnInfo { return jobs.ColumnInfo(v) })
}

// catalogQuery names a catalog, then a database, then a table.
func catalogQuery(pattern string, within ...string) url.Values {
	query := url.Values{}
	set(query, "pattern", pattern)
	for i, name := range within {
		query.Set([]string{"catalog", "database", "table"}[i], name)
	}
	return query
}

func fieldOf(f protocol.Field) jobs.Field          { return jobs.Field(f) }
func audienceOf(a protocol.Audience) jobs.Audience { return jobs.Audience(a) }

// CreateField implements jobs.Platform.
func (c *Client) CreateField(ctx context.Context, f jobs.Field) (jobs.Field, error) {
	v, err := call[protocol.Field](ctx, c, request{method: http.MethodPost, path: "/fields", body: protocol.Field(f)})
	return jobs.Field(v), err
}

// PutField implements jobs.Platform.
func (c *Client) PutField(ctx context.Context, f jobs.Field) (jobs.Field, error) {
	v, err := call[protocol.Field](ctx, c, request{method: http.MethodPut, path: "/fields", body: protocol.Field(f)})
	return jobs.Field(v), err
}

// Field implements jobs.Platform.
func (c *Client) Field(ctx context.Context, id string) (jobs.Field, error) {
	v, err := call[protocol.Field](ctx, c, request{method: http.MethodGet, path: at("/fields/%s", id)})
	return jobs.Field(v), err
}

// DeleteField implements jobs.Platform.
func (c *Client) DeleteField(ctx context.Context, id string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: at("/fields/%s", id)})
}

// CreateMapping implements jobs.Platform.
func (c *Client) CreateMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error) {
	v, err := call[protocol.Mapping](ctx, c, request{method: http.MethodPost, path: "/mappings", body: protocol.Mapping(m)})
	return jobs.Mapping(v), err
}

// PutMapping implements jobs.Platform.
func (c *Client) PutMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error) {
	v, err := call[protocol.Mapping](ctx, c, request{method: http.MethodPut, path: "/mappings", body: protocol.Mapping(m)})
	return jobs.Mapping(v), err
}

// Mapping implements jobs.Platform.
func (c *Client) Mapping(ctx context.Context, id string) (jobs.Mapping, error) {
	v, err := call[protocol.Mapping](ctx, c, request{method: http.MethodGet, path: at("/mappings/%s", id)})
	return jobs.Mapping(v), err
}

// DeleteMapping implements jobs.Platform.
func (c *Client) DeleteMapping(ctx context.Context, id string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: at("/mappings/%s", id)})
}

// CreateAudience implements jobs.Platform.
func (c *Client) CreateAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	v, err := call[protocol.Audience](ctx, c, request{method: http.MethodPost, path: "/audiences", body: protocol.Audience(a)})
	return jobs.Audience(v), err
}

// PutAudience implements jobs.Platform.
func (c *Client) PutAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	v, err := call[protocol.Audience](ctx, c, request{method: http.MethodPut, path: "/audiences", body: protocol.Audience(a)})
	return jobs.Audience(v), err
}

// Audience implements jobs.Platform.
func (c *Client) Audience(ctx context.Context, idOrSlug string) (jobs.Audience, error) {
	v, err := call[protocol.Audience](ctx, c, request{method: http.MethodGet, path: at("/audiences/%s", idOrSlug)})
	return jobs.Audience(v), err
}

// DeleteAudience implements jobs.Platform.
func (c *Client) DeleteAudience(ctx context.Context, id string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: at("/audiences/%s", id)})
}

// Fields implements jobs.CustomerData.
func (c *Client) Fields(ctx context.Context) ([]jobs.Field, error) {
	return listed(ctx, c, "/fields", nil, fieldOf)
}

// Streams implements jobs.CustomerData.
func (c *Client) Streams(ctx context.Context) ([]jobs.StreamInfo, error) {
	return listed(ctx, c, "/streams", nil, func(v protocol.StreamInfo) jobs.StreamInfo { return jobs.StreamInfo(v) })
}

// Audiences implements jobs.CustomerData.
func (c *Client) Audiences(ctx context.Context) ([]jobs.Audience, error) {
	return listed(ctx, c, "/audiences", nil, audienceOf)
}

// AudienceSize implements jobs.CustomerData.
func (c *Client) AudienceSize(ctx context.Context, idOrSlug string) (int64, error) {
	return call[int64](ctx, c, request{method: http.MethodGet, path: at("/audiences/%s/size", idOrSlug)})
}
