package front

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// unityPage is the page size of Unity Catalog's API. It is small, so that
// clients have to request a second page.
const unityPage = 20

// unityRoutes registers the part of Unity Catalog's REST API that needs no
// warehouse. An unknown name gets Unity Catalog's error code.
func (s *Server) unityRoutes() {
	const root = "/api/2.1/unity-catalog/"
	route := func(pattern string, answer func(*http.Request, *catalogReader) (any, error)) {
		s.mux.HandleFunc("GET "+root+pattern, func(w http.ResponseWriter, r *http.Request) {
			if reply := s.authorizeAPI(r); reply != nil {
				writeError(w, *reply)
				return
			}
			session, err := s.sessions.engine.OpenSession(r.Context(), warehouse.SessionOptions{})
			if err != nil {
				writeError(w, httpReply{status: http.StatusInternalServerError, code: "INTERNAL_ERROR", message: err.Error()})
				return
			}
			body, err := answer(r, &catalogReader{session: session})
			err = errors.Join(err, session.Close())
			var reply *unityError
			switch {
			case errors.As(err, &reply):
				writeError(w, reply.httpReply)
			case err != nil:
				writeError(w, httpReply{status: http.StatusInternalServerError, code: "INTERNAL_ERROR", message: err.Error()})
			default:
				writeJSON(w, http.StatusOK, body)
			}
		})
	}
	route("catalogs", func(r *http.Request, c *catalogReader) (any, error) {
		all, err := c.catalogs(r.Context())
		return pageOf(r, "catalogs", all, err)
	})
	route("schemas", func(r *http.Request, c *catalogReader) (any, error) {
		all, err := c.schemas(r.Context(), r.FormValue("catalog_name"))
		return pageOf(r, "schemas", all, err)
	})
	route("tables", func(r *http.Request, c *catalogReader) (any, error) {
		all, err := c.tables(r.Context(), r.FormValue("catalog_name"), r.FormValue("schema_name"))
		return pageOf(r, "tables", all, err)
	})
	route("volumes", func(r *http.Request, c *catalogReader) (any, error) {
		all, err := s.volumes(r, c)
		return pageOf(r, "volumes", all, err)
	})
	route("volumes/{name}", func(r *http.Request, _ *catalogReader) (any, error) { return s.volume(r.PathValue("name")) })
	route("tables/{name}", func(r *http.Request, c *catalogReader) (any, error) {
		return c.table(r.Context(), r.PathValue("name"))
	})
}

type unityError struct{ httpReply }

func (e *unityError) Error() string { return e.message }

func doesNotExist(kind, name string) error {
	return &unityError{httpReply{
		status: http.StatusNotFound, code: strings.ToUpper(kind) + "_DOES_NOT_EXIST",
		message: fmt.Sprintf("%s '%s' does not exist.", kind, name),
	}}
}

// pageOf returns the page of all that the request's token names, and the token of
// the next page.
func pageOf(r *http.Request, key string, all []map[string]any, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	start := 0
	if token := r.FormValue("page_token"); token != "" {
		if start, err = strconv.Atoi(token); err != nil || start < 0 || start > len(all) {
			return nil, &unityError{
				httpReply{status: http.StatusBadRequest, code: "INVALID_PARAMETER_VALUE", message: "The page token is not one of this list."},
			}
		}
	}
	end := min(start+unityPage, len(all))
	body := map[string]any{key: all[start:end]}
	if end < len(all) {
		body["next_page_token"] = strconv.Itoa(end)
	}
	return body, nil
}

// catalogReader reads catalogs, schemas and tables through the engine's SQL.
type catalogReader struct{ session warehouse.Session }

func (c *catalogReader) catalogs(ctx context.Context) ([]map[string]any, error) {
	names, err := c.rows(ctx, "SHOW CATALOGS")
	if err != nil {
		return nil, err
	}
	comments, err := c.rows(ctx, "SELECT catalog_name, comment FROM system.information_schema.catalogs")
	if err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for _, row := range names {
		if row[0] == "hive_metastore" { // not part of Unity Catalog
			continue
		}
		comment := ""
		if i := slices.IndexFunc(comments, func(c []string) bool { return c[0] == row[0] }); i >= 0 {
			comment = comments[i][1]
		}
		out = append(out, map[string]any{"name": row[0], "comment": comment, "catalog_type": "MANAGED_CATALOG"})
	}
	return out, nil
}

// informationSchema returns the quoted prefix of a catalog's information_schema,
// or an error if the catalog does not exist.
func (c *catalogReader) informationSchema(ctx context.Context, catalog string) (string, error) {
	all, err := c.catalogs(ctx)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(all, func(m map[string]any) bool { return m["name"] == strings.ToLower(catalog) }) {
		return "", doesNotExist("Catalog", catalog)
	}
	return "`" + strings.ReplaceAll(strings.ToLower(catalog), "`", "``") + "`.information_schema.", nil
}

func (c *catalogReader) schemas(ctx context.Context, catalog string) ([]map[string]any, error) {
	from, err := c.informationSchema(ctx, catalog)
	if err != nil {
		return nil, err
	}
	rows, err := c.rows(ctx, "SELECT schema_name, comment FROM "+from+"schemata ORDER BY schema_name")
	if err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for _, row := range rows {
		out = append(out, map[string]any{"name": row[0], "catalog_name": catalog, "full_name": catalog + "." + row[0], "comment": row[1]})
	}
	return out, nil
}

func (c *catalogReader) tables(ctx context.Context, catalog, schema string) ([]map[string]any, error) {
	schemas, err := c.schemas(ctx, catalog)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(schemas, func(m map[string]any) bool { return m["name"] == strings.ToLower(schema) }) {
		return nil, doesNotExist("Schema", catalog+"."+schema)
	}
	from, err := c.informationSchema(ctx, catalog)
	if err != nil {
		return nil, err
	}
	rows, err := c.rows(
		ctx,
		"SELECT table_name, table_type, comment FROM "+from+"tables WHERE table_schema = ? ORDER BY table_name",
		strings.ToLower(schema),
	)
	if err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for _, row := range rows {
		out = append(out, map[string]any{
			"name": row[0], "catalog_name": catalog, "schema_name": schema,
			"full_name": catalog + "." + schema + "." + row[0], "table_type": row[1], "comment": row[2],
		})
	}
	return out, nil
}

func (c *catalogReader) table(ctx context.Context, full string) (any, error) {
	parts := strings.Split(full, ".")
	if len(parts) != 3 {
		return nil, &unityError{
			httpReply{
				status:  http.StatusBadRequest,
				code:    "INVALID_PARAMETER_VALUE",
				message: fmt.Sprintf("'%s' is not a valid name of a table.", full),
			},
		}
	}
	all, err := c.tables(ctx, parts[0], parts[1])
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(m map[string]any) bool { return m["name"] == strings.ToLower(parts[2]) })
	if i < 0 {
		return nil, doesNotExist("Table", full)
	}
	from, err := c.informationSchema(ctx, parts[0])
	if err != nil {
		return nil, err
	}
	rows, err := c.rows(ctx, "SELECT column_name, full_data_type, is_nullable, comment FROM "+from+
		"columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position", strings.ToLower(parts[1]), strings.ToLower(parts[2]))
	if err != nil {
		return nil, err
	}
	columns := []map[string]any{}
	for at, row := range rows {
		columns = append(columns, map[string]any{
			"name": row[0], "type_text": row[1], "nullable": row[2] != "NO", "comment": row[3], "position": at,
		})
	}
	all[i]["columns"] = columns
	return all[i], nil
}

// rows executes a query and returns its rows as text; NULL becomes "".
func (c *catalogReader) rows(ctx context.Context, statement string, args ...string) (out [][]string, err error) {
	parameters := make([]warehouse.Parameter, len(args))
	for i, a := range args {
		parameters[i] = warehouse.Parameter{Type: "STRING", Value: &a}
	}
	result, err := c.session.Execute(ctx, statement, parameters)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	for {
		batch, err := result.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range int(batch.NumRows()) {
			row := make([]string, batch.NumCols())
			for j := range row {
				if column, ok := batch.Column(j).(*array.String); ok && column.IsValid(i) {
					row[j] = strings.Clone(column.Value(i))
				}
			}
			out = append(out, row)
		}
		batch.Release()
	}
}
