package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

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

// ListCatalog implements jobs.Catalog.
func (c *Client) ListCatalog(ctx context.Context, q jobs.CatalogQuery) (jobs.CatalogListing, error) {
	out, err := call[protocol.CatalogListing](ctx, c,
		request{method: http.MethodPost, path: "/catalog", body: protocol.CatalogQueryOf(q), repeatable: true})
	return out.Jobs(), err
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
	kind jobs.ObjectKind
	path string
	wire func(T) W
	of   func(W) T
	id   func(T) string
}

var (
	fields = collection[protocol.Field, jobs.Field]{
		jobs.KindField,
		"/fields",
		func(f jobs.Field) protocol.Field { return protocol.Field(f) },
		func(f protocol.Field) jobs.Field { return jobs.Field(f) },
		func(f jobs.Field) string { return f.ID },
	}
	mappings = collection[protocol.Mapping, jobs.Mapping]{
		jobs.KindMapping,
		"/mappings",
		func(m jobs.Mapping) protocol.Mapping { return protocol.Mapping(m) },
		func(m protocol.Mapping) jobs.Mapping { return jobs.Mapping(m) },
		func(m jobs.Mapping) string { return m.ID },
	}
	audiences = collection[protocol.Audience, jobs.Audience]{
		jobs.KindAudience,
		"/audiences",
		func(a jobs.Audience) protocol.Audience { return protocol.Audience(a) },
		func(a protocol.Audience) jobs.Audience { return jobs.Audience(a) },
		func(a jobs.Audience) string { return a.ID },
	}
)

// create sends a new object. A create with an owner is sent again if its answer was
// lost: the runner knows it by the owner.
func (k collection[W, T]) create(ctx context.Context, c *Client, object T, owner jobs.Owner) (T, error) {
	if err := c.register(ctx); err != nil {
		var none T
		return none, err
	}
	made := c.creates.Asked(ctx)
	v, err := call[W](ctx, c, request{
		method: http.MethodPost, path: k.path, query: ownerQuery(owner), body: k.wire(object), repeatable: owner != "",
	})
	out := k.of(v)
	if err == nil {
		made(jobs.PlatformObject(k.kind, k.id(out)))
	}
	return out, err
}

func (k collection[W, T]) put(ctx context.Context, c *Client, object T, owner jobs.Owner) (T, error) {
	v, err := call[W](ctx, c, request{method: http.MethodPut, path: k.path, query: ownerQuery(owner), body: k.wire(object)})
	return k.of(v), err
}

// ownerQuery names the resource that a call is made for. A runner of an earlier
// release refuses the parameter: it would let the resource change what belongs to
// another one.
func ownerQuery(owner jobs.Owner) url.Values {
	query := url.Values{}
	set(query, "owner", string(owner))
	return query
}

func (k collection[W, T]) get(ctx context.Context, c *Client, id string) (T, error) {
	v, err := call[W](ctx, c, request{method: http.MethodGet, path: at(k.path+"/%s", id)})
	return k.of(v), err
}

func (k collection[W, T]) remove(ctx context.Context, c *Client, id string, owner jobs.Owner) error {
	return c.do(ctx, request{method: http.MethodDelete, path: at(k.path+"/%s", id), query: ownerQuery(owner)})
}

func (k collection[W, T]) list(ctx context.Context, c *Client) ([]T, error) {
	return listed(ctx, c, k.path, nil, k.of)
}

// JudgeDraft implements jobs.Judge.
func (c *Client) JudgeDraft(ctx context.Context, d jobs.Draft) (jobs.Judgement, error) {
	return call[jobs.Judgement](ctx, c, request{method: http.MethodPost, path: "/judgements", body: d})
}

// CreateField implements jobs.Platform.
func (c *Client) CreateField(ctx context.Context, f jobs.Field, owner jobs.Owner) (jobs.Field, error) {
	return fields.create(ctx, c, f, owner)
}

// PutField implements jobs.Platform.
func (c *Client) PutField(ctx context.Context, f jobs.Field, owner jobs.Owner) (jobs.Field, error) {
	return fields.put(ctx, c, f, owner)
}

// Field implements jobs.Platform.
func (c *Client) Field(ctx context.Context, id string) (jobs.Field, error) {
	return fields.get(ctx, c, id)
}

// DeleteField implements jobs.Platform.
func (c *Client) DeleteField(ctx context.Context, id string, owner jobs.Owner) error {
	return fields.remove(ctx, c, id, owner)
}

// CreateMapping implements jobs.Platform.
func (c *Client) CreateMapping(ctx context.Context, m jobs.Mapping, owner jobs.Owner) (jobs.Mapping, error) {
	return mappings.create(ctx, c, m, owner)
}

// PutMapping implements jobs.Platform.
func (c *Client) PutMapping(ctx context.Context, m jobs.Mapping, owner jobs.Owner) (jobs.Mapping, error) {
	return mappings.put(ctx, c, m, owner)
}

// Mapping implements jobs.Platform.
func (c *Client) Mapping(ctx context.Context, id string) (jobs.Mapping, error) {
	return mappings.get(ctx, c, id)
}

// DeleteMapping implements jobs.Platform.
func (c *Client) DeleteMapping(ctx context.Context, id string, owner jobs.Owner) error {
	return mappings.remove(ctx, c, id, owner)
}

// CreateAudience implements jobs.Platform.
func (c *Client) CreateAudience(ctx context.Context, a jobs.Audience, owner jobs.Owner) (jobs.Audience, error) {
	return audiences.create(ctx, c, a, owner)
}

// PutAudience implements jobs.Platform.
func (c *Client) PutAudience(ctx context.Context, a jobs.Audience, owner jobs.Owner) (jobs.Audience, error) {
	return audiences.put(ctx, c, a, owner)
}

// Audience implements jobs.Platform.
func (c *Client) Audience(ctx context.Context, idOrSlug string) (jobs.Audience, error) {
	return audiences.get(ctx, c, idOrSlug)
}

// DeleteAudience implements jobs.Platform.
func (c *Client) DeleteAudience(ctx context.Context, id string, owner jobs.Owner) error {
	return audiences.remove(ctx, c, id, owner)
}

// CheckCreate implements jobs.Platform.
func (c *Client) CheckCreate(ctx context.Context, o jobs.Object) error {
	return c.needsOwners(c.do(ctx, request{method: http.MethodPut, path: "/objects/check", body: protocol.ObjectOf(o)}))
}

// Claim implements jobs.Platform.
func (c *Client) Claim(ctx context.Context, claim jobs.Claim) (jobs.Ownership, error) {
	answer, err := call[jobs.Ownership](ctx, c, request{method: http.MethodPut, path: "/objects/owner", body: claim})
	return answer, c.needsOwners(err)
}

// needsOwners explains the answer of a runner that keeps no owners yet.
func (c *Client) needsOwners(err error) error {
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || e.Code != jobs.CodeFailed || !strings.HasPrefix(e.Summary, "The runner has no such operation") {
		return err
	}
	return &jobs.Error{
		Code: jobs.CodeFailed, Attribute: "runner.url", Err: err,
		Summary: "The runner is of an earlier release, which does not keep the owners of fields, mappings and audiences",
		Detail:  "It could adopt or delete what belongs to another resource.", Next: "Upgrade " + c.place,
	}
}

// Fields implements jobs.CustomerData.
func (c *Client) Fields(ctx context.Context) ([]jobs.Field, error) {
	return fields.list(ctx, c)
}

// Mappings implements jobs.CustomerData.
func (c *Client) Mappings(ctx context.Context) ([]jobs.Mapping, error) {
	return mappings.list(ctx, c)
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
