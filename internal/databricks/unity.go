package databricks

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/databricks/databricks-sdk-go/apierr"
	"github.com/databricks/databricks-sdk-go/client"
	"github.com/databricks/databricks-sdk-go/config"
	"github.com/databricks/databricks-sdk-go/config/credentials"
	"github.com/databricks/databricks-sdk-go/logger"
	"github.com/databricks/databricks-sdk-go/service/catalog"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// UnityCatalog reads Unity Catalog by its REST API, which does not need or start a
// warehouse.
type UnityCatalog struct {
	w      *Warehouse
	client *client.DatabricksClient
}

// NewUnityCatalog returns a UnityCatalog without sending a request. It does not use the
// HTTP path of the configuration.
func NewUnityCatalog(cfg Config) (*UnityCatalog, error) {
	w, err := newWarehouse(cfg)
	if err != nil {
		return nil, err
	}
	c, err := client.New(&config.Config{
		Host:        w.transport.endpoint.Scheme + "://" + w.transport.endpoint.Host,
		Credentials: noCredentials{}, // the transport adds them
		// The SDK must not read the environment and ~/.databrickscfg, which may be
		// for another workspace.
		Loaders:       []config.Loader{noLoader{}},
		HTTPTransport: &restTransport{w: w},
		// A busy metastore may need more than half a minute before its first byte, which
		// catalogLimits allows. The SDK's own limit of the time without progress is
		// longer, so that the error names the limit.
		HTTPTimeoutSeconds:  150,
		RetryTimeoutSeconds: int(cmp.Or(cfg.CatalogRetry, 5*time.Minute).Seconds()),
	})
	if err != nil {
		return nil, err
	}
	// The SDK sets up its login at the first request, and reads whether it did without a
	// lock: requests of several goroutines would race. This one is not sent.
	if err := c.Config.Authenticate(&http.Request{Header: http.Header{}}); err != nil {
		return nil, err
	}
	return &UnityCatalog{w: w, client: c}, nil
}

// Close closes idle connections.
func (u *UnityCatalog) Close() { u.w.transport.base.CloseIdleConnections() }

// errNoUnityCatalog means that a workspace has no Unity Catalog.
var errNoUnityCatalog = errors.New("no Unity Catalog")

// isNoUnity reports whether the API says that the workspace has no Unity Catalog.
func isNoUnity(e *apierr.APIError) bool {
	return e.ErrorCode == "ENDPOINT_NOT_FOUND" || e.ErrorCode == "FEATURE_DISABLED" || strings.HasPrefix(e.ErrorCode, "METASTORE_") ||
		strings.Contains(e.Message, "No metastore assigned")
}

// IsNoUnityCatalog reports whether a workspace has no Unity Catalog, or does not serve its
// API. The caller then reads the catalog through the warehouse.
func IsNoUnityCatalog(err error) bool { return errors.Is(err, errNoUnityCatalog) }

// InUnityCatalog reports whether a catalog belongs to Unity Catalog.
func InUnityCatalog(name string) bool { return !strings.EqualFold(name, hiveMetastore) }

// Columns lists a table's columns that match a pattern, by position.
func (u *UnityCatalog) Columns(ctx context.Context, table jobs.TableName, pattern string) ([]jobs.ColumnInfo, error) {
	// The SDK adds the name to the path without escaping it. A name with a slash or a
	// question mark would send the token to another API of the workspace.
	t, err := catalog.NewTables(u.client).Get(ctx, catalog.GetTableRequest{FullName: url.PathEscape(table.String())})
	if err != nil {
		return nil, u.explain(ctx, err, table)
	}
	columns := slices.Clone(t.Columns)
	slices.SortStableFunc(columns, func(a, b catalog.ColumnInfo) int { return a.Position - b.Position })
	match := jobs.NamePattern(pattern)
	out := []jobs.ColumnInfo{}
	for i, c := range columns {
		if match(c.Name) {
			out = append(out, jobs.ColumnInfo{
				Name: c.Name, Type: normalizeType(c.TypeText), Nullable: c.Nullable, Comment: c.Comment, Position: i + 1,
			})
		}
	}
	return out, nil
}

// explain converts an error of the API to a *jobs.Error. For a missing object, it names the
// first part of the name that does not exist.
func (u *UnityCatalog) explain(ctx context.Context, err error, name jobs.TableName) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if beyond := u.w.beyondLimit(err); beyond != nil {
		return beyond
	}
	if f, ok := errors.AsType[*failure](err); ok && f.cause != causeReply {
		return u.w.transportError(f, newCall(ctx, true))
	}
	e, ok := errors.AsType[*apierr.APIError](err)
	if !ok {
		return &jobs.Error{Code: jobs.CodeUnreachable, Attribute: "host",
			Summary: fmt.Sprintf("The catalog of %s could not be read", u.w.name), Detail: sanitize(err.Error()),
			Next: "Check host and port; or read it through the warehouse, with catalog_api = \"sql\" on the authorization.", Err: err}
	}
	detail := sanitize(e.Message)
	switch {
	case isNoUnity(e):
		return fmt.Errorf("%w: %s", errNoUnityCatalog, detail)
	case e.StatusCode == http.StatusUnauthorized:
		return u.w.transportError(&failure{cause: causeUnauthorized, status: e.StatusCode, message: detail}, newCall(ctx, true))
	// The list of catalogs cannot be missing: to look for it there would not end.
	case e.StatusCode == http.StatusNotFound && name.Catalog != "":
		return u.missing(ctx, name, detail)
	case e.StatusCode == http.StatusForbidden:
		return &jobs.Error{Code: jobs.CodeForbidden, Summary: "A permission is missing in Databricks",
			Detail: detail, Next: grantFor(detail), Err: err}
	}
	return &jobs.Error{Code: jobs.CodeUnreachable, Summary: fmt.Sprintf("%s could not list its catalog", u.w.name),
		Detail: fmt.Sprintf("HTTP %d %s: %s", e.StatusCode, e.ErrorCode, detail),
		Next:   "Try again; if it stays so, look at the status of the workspace.", Err: err}
}

// FindTable looks a table up by its name. found is false if its database has no such table.
func (u *UnityCatalog) FindTable(ctx context.Context, name jobs.TableName) (info jobs.TableInfo, found bool, err error) {
	t, err := catalog.NewTables(u.client).Get(ctx, catalog.GetTableRequest{FullName: url.PathEscape(name.String())})
	if e, ok := errors.AsType[*apierr.APIError](err); ok && e.StatusCode == http.StatusNotFound && !isNoUnity(e) {
		return info, false, u.missingDatabase(ctx, name)
	}
	if err != nil {
		return info, false, u.explain(ctx, err, name)
	}
	if t.Name == "" {
		return info, false, &jobs.Error{Code: jobs.CodeUnreachable, Attribute: "host",
			Summary: fmt.Sprintf("%s answered about table %s without naming a table", u.w.name, name),
			Detail:  "The answer is not that of Unity Catalog.", Next: "Check host, and which proxies are on the way."}
	}
	return jobs.TableInfo{Name: t.Name, Type: string(t.TableType), Comment: t.Comment}, true, nil
}

// missingDatabase returns the error of a catalog or a database that does not exist; nil if
// both exist.
func (u *UnityCatalog) missingDatabase(ctx context.Context, name jobs.TableName) error {
	catalogs, err := u.Catalogs(ctx, "")
	if err != nil {
		return err
	}
	names := namesOf(catalogs, func(c jobs.CatalogInfo) string { return c.Name })
	if !contains(names, name.Catalog) {
		return notFoundError("catalog", "catalog", name.Catalog, "", names)
	}
	if name.Database == "" {
		return nil
	}
	databases, err := u.Databases(ctx, name.Catalog, "")
	if err != nil {
		return err
	}
	names = namesOf(databases, func(d jobs.DatabaseInfo) string { return d.Name })
	if !contains(names, name.Database) {
		return notFoundError("database", "database", name.Database, fmt.Sprintf("catalog %q", name.Catalog), names)
	}
	return nil
}

func (u *UnityCatalog) missing(ctx context.Context, name jobs.TableName, detail string) error {
	if err := u.missingDatabase(ctx, name); err != nil {
		return err
	}
	if name.Table != "" {
		tables, err := u.Tables(ctx, name.Catalog, name.Database, "")
		if err != nil {
			return err
		}
		return notFoundError("table", "table", name.Table, fmt.Sprintf("database %q of catalog %q", name.Database, name.Catalog),
			namesOf(tables, func(t jobs.TableInfo) string { return t.Name }))
	}
	return &jobs.Error{Code: jobs.CodeInvalid, Summary: fmt.Sprintf("%s lists an object that it does not find", u.w.name),
		Detail: detail, Next: "Run it again"}
}

func namesOf[T any](list []T, name func(T) string) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = name(x)
	}
	return out
}

// restTransport sends the SDK's requests with the token, and only to the configured host.
// After a refusal it reads the token again, once.
type restTransport struct{ w *Warehouse }

// RoundTrip implements http.RoundTripper.
func (t *restTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	w := t.w
	body, err := readBody(request)
	if err != nil {
		return nil, err
	}
	if request.URL.Scheme != w.transport.endpoint.Scheme || request.URL.Host != w.transport.endpoint.Host {
		return nil, &failure{cause: causeRefused,
			message: fmt.Sprintf("a request to %s is refused: only %s is contacted", request.URL.Host, w.transport.endpoint.Host)}
	}
	for renewed := false; ; renewed = true {
		token, err := w.token.get(request.Context())
		if err != nil {
			return nil, &failure{cause: causeToken, err: err}
		}
		attempt := request.Clone(request.Context())
		attempt.Body = io.NopCloser(bytes.NewReader(body))
		attempt.Header.Set("Authorization", "Bearer "+token.Reveal())
		response, err := catalogLimits.Do(attempt, w.sendNamed)
		if err != nil {
			return nil, sendFailure(request.Context(), "", false, err)
		}
		if renewed || response.StatusCode != http.StatusUnauthorized && response.StatusCode != http.StatusForbidden {
			return withContent(response)
		}
		content, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			return nil, sendFailure(request.Context(), "", true, err)
		}
		response.Body = io.NopCloser(bytes.NewReader(content))
		if statusFailure("", token, response, content).cause != causeUnauthorized {
			return response, nil
		}
		if changed, err := w.token.renew(request.Context(), token); err != nil {
			return nil, &failure{cause: causeToken, err: err}
		} else if !changed {
			return response, nil
		}
	}
}

// withContent refuses a response that is neither an error nor a redirect and has no content.
// The SDK would read it as a list without entries.
func withContent(response *http.Response) (*http.Response, error) {
	if response.StatusCode >= http.StatusBadRequest || response.StatusCode/100 == 3 && response.Header.Get("Location") != "" {
		return response, nil
	}
	body := bufio.NewReader(response.Body)
	_, err := body.Peek(1)
	if errors.Is(err, io.EOF) || response.StatusCode/100 != 2 {
		_ = response.Body.Close()
		return nil, &failure{cause: causeReply, status: response.StatusCode, message: "the answer has no content"}
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{body, response.Body}
	return response, nil
}

type noCredentials struct{}

func (noCredentials) Name() string { return "transport" }

func (noCredentials) Configure(context.Context, *config.Config) (credentials.CredentialsProvider, error) {
	return credentials.NewCredentialsProvider(func(*http.Request) error { return nil }), nil
}

type noLoader struct{}

func (noLoader) Name() string { return "none" }

func (noLoader) Configure(*config.Config) error { return nil }

// quiet is a logger for the SDK that logs nothing. The SDK's default logger prints requests
// to standard output.
type quiet struct{}

func (quiet) Enabled(context.Context, logger.Level) bool     { return false }
func (quiet) Tracef(context.Context, string, ...interface{}) {}
func (quiet) Debugf(context.Context, string, ...interface{}) {}
func (quiet) Infof(context.Context, string, ...interface{})  {}
func (quiet) Warnf(context.Context, string, ...interface{})  {}
func (quiet) Errorf(context.Context, string, ...interface{}) {}
