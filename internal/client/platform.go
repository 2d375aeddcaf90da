package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// listed reads a list and converts its elements.
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

// catalogQuery returns the query for a pattern within a catalog, a database and
// a table.
func catalogQuery(pattern string, within ...string) url.Values {
	query := url.Values{}
	set(query, "pattern", pattern)
	for i, name := range within {
		query.Set([]string{"catalog", "database", "table"}[i], name)
	}
	return query
}

// collection has the calls for one kind of object with an id: T in package
// jobs, W on the wire.
type collection[W, T any] struct {
	path string
	wire func(T) W
	of   func(W) T
}

var (
	fields = collection[protocol.Field, jobs.Field]{
		"/fields", func(f jobs.Field) protocol.Field { return protocol.Field(f) }, func(f protocol.Field) jobs.Field { return jobs.Field(f) },
	}
	mappings = collection[protocol.Mapping, jobs.Mapping]{
		"/mappings", func(m jobs.Mapping) protocol.Mapping { return protocol.Mapping(m) }, func(m protocol.Mapping) jobs.Mapping { return jobs.Mapping(m) },
	}
	audiences = collection[protocol.Audience, jobs.Audience]{
		"/audiences", func(a jobs.Audience) protocol.Audience { return protocol.Audience(a) }, func(a protocol.Audience) jobs.Audience { return jobs.Audience(a) },
	}
)

func (k collection[W, T]) send(ctx context.Context, c *Client, method string, object T) (T, error) {
	v, err := call[W](ctx, c, request{method: method, path: k.path, body: k.wire(object)})
	return k.of(v), err
}

func (k collection[W, T]) get(ctx context.Context, c *Client, id string) (T, error) {
	v, err := call[W](ctx, c, request{method: http.MethodGet, path: at(k.path+"/%s", id)})
	return k.of(v), err
}

func (k collection[W, T]) remove(ctx context.Context, c *Client, id string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: at(k.path+"/%s", id)})
}

func (k collection[W, T]) list(ctx context.Context, c *Client) ([]T, error) {
	return listed(ctx, c, k.path, nil, k.of)
}

// JudgeDraft implements jobs.Judge.
func (c *Client) JudgeDraft(ctx context.Context, d jobs.Draft) (jobs.Judgement, error) {
	return call[jobs.Judgement](ctx, c, request{method: http.MethodPost, path: "/judgements", body: d})
}

// CreateField implements jobs.Platform.
func (c *Client) CreateField(ctx context.Context, f jobs.Field) (jobs.Field, error) {
	return fields.send(ctx, c, http.MethodPost, f)
}

// PutField implements jobs.Platform.
func (c *Client) PutField(ctx context.Context, f jobs.Field) (jobs.Field, error) {
	return fields.send(ctx, c, http.MethodPut, f)
}

// Field implements jobs.Platform.
func (c *Client) Field(ctx context.Context, id string) (jobs.Field, error) {
	return fields.get(ctx, c, id)
}

// DeleteField implements jobs.Platform.
func (c *Client) DeleteField(ctx context.Context, id string) error { return fields.remove(ctx, c, id) }

// CreateMapping implements jobs.Platform.
func (c *Client) CreateMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error) {
	return mappings.send(ctx, c, http.MethodPost, m)
}

// PutMapping implements jobs.Platform.
func (c *Client) PutMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error) {
	return mappings.send(ctx, c, http.MethodPut, m)
}

// Mapping implements jobs.Platform.
func (c *Client) Mapping(ctx context.Context, id string) (jobs.Mapping, error) {
	return mappings.get(ctx, c, id)
}

// DeleteMapping implements jobs.Platform.
func (c *Client) DeleteMapping(ctx context.Context, id string) error {
	return mappings.remove(ctx, c, id)
}

// CreateAudience implements jobs.Platform.
func (c *Client) CreateAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	return audiences.send(ctx, c, http.MethodPost, a)
}

// PutAudience implements jobs.Platform.
func (c *Client) PutAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error) {
	return audiences.send(ctx, c, http.MethodPut, a)
}

// Audience implements jobs.Platform.
func (c *Client) Audience(ctx context.Context, idOrSlug string) (jobs.Audience, error) {
	return audiences.get(ctx, c, idOrSlug)
}

// DeleteAudience implements jobs.Platform.
func (c *Client) DeleteAudience(ctx context.Context, id string) error {
	return audiences.remove(ctx, c, id)
}

// Fields implements jobs.CustomerData.
func (c *Client) Fields(ctx context.Context) ([]jobs.Field, error) {
	return fields.list(ctx, c)
}

// Streams implements jobs.CustomerData.
func (c *Client) Streams(ctx context.Context) ([]jobs.StreamInfo, error) {
	return listed(ctx, c, "/streams", nil, func(v protocol.StreamInfo) jobs.StreamInfo { return jobs.StreamInfo(v) })
}

// Audiences implements jobs.CustomerData.
func (c *Client) Audiences(ctx context.Context) ([]jobs.Audience, error) {
	return audiences.list(ctx, c)
}

// AudienceSize implements jobs.CustomerData.
func (c *Client) AudienceSize(ctx context.Context, idOrSlug string) (int64, error) {
	return call[int64](ctx, c, request{method: http.MethodGet, path: at("/audiences/%s/size", idOrSlug)})
}
