package front

import (
	"context"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/rowset"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// metadataCall describes a metadata call: GetCatalogs, GetSchemas and so on.
type metadataCall struct {
	name    string
	kind    tcli.TOperationType
	session *tcli.TSessionHandle
	direct  *tcli.TSparkGetDirectResults
	async   bool
	list    func(context.Context, *session) (*listing, error)
}

// runMetadataCall runs a metadata call. reply makes the reply of the call's own type.
func runMetadataCall[R any](
	ctx context.Context,
	h *handler,
	c metadataCall,
	reply func(*tcli.TStatus, *tcli.TOperationHandle, *tcli.TSparkDirectResults) R,
) (R, error) {
	sess, err := h.sessions.get(c.session)
	if err != nil {
		var none R
		return none, err
	}
	status := func(s *tcli.TStatus) R { return reply(s, nil, nil) }
	return serve(ctx, h, rpc[R]{
		name: c.name, session: sess, status: status,
		run: func() (R, error) {
			// The results of metadata calls are columns, whatever formats the client reads.
			op := &operation{kind: c.kind, text: c.name, session: sess, startDelay: exchangeOf(ctx).startDelay}
			op.run = func(ctx context.Context) (warehouse.Result, error) { return c.list(ctx, sess) }
			h.start(op)
			var direct *tcli.TSparkDirectResults
			switch {
			case c.direct != nil:
				direct = h.directResults(ctx, op, c.direct)
			case !c.async:
				op.wait(ctx, h.options.DirectWait)
				if err := op.err(); err != nil {
					return status(errorStatus(err)), nil
				}
			}
			return reply(success(), op.handle(), direct), nil
		},
	})
}

// eachTable calls visit for every table that passes the filters. The engine lists
// the columns of all tables at once, so a table that is filtered out costs nothing.
func eachTable(
	ctx context.Context,
	sess *session,
	catalog, schema, table func(string) bool,
	visit func(c, s string, t warehouse.TableObject),
) error {
	catalogs, err := sess.engine.Objects(ctx)
	if err != nil {
		return err
	}
	for _, c := range catalogs {
		for _, s := range c.Schemas {
			if !catalog(c.Name) || !schema(s.Name) {
				continue
			}
			for _, t := range s.Tables {
				if table(t.Name) {
					visit(c.Name, s.Name, t)
				}
			}
		}
	}
	return nil
}

// GetCatalogs lists the catalogs.
func (h *handler) GetCatalogs(ctx context.Context, req *tcli.TGetCatalogsReq) (*tcli.TGetCatalogsResp, error) {
	return runMetadataCall(ctx, h, metadataCall{
		name:    "GetCatalogs",
		kind:    tcli.TOperationType_GET_CATALOGS,
		session: req.SessionHandle,
		direct:  req.GetDirectResults,
		async:   req.RunAsync,
		list: func(ctx context.Context, sess *session) (*listing, error) {
			catalogs, err := sess.engine.Objects(ctx)
			out := newListing("TABLE_CAT")
			for _, c := range catalogs {
				out.add(c.Name)
			}
			return out, err
		},
	}, func(s *tcli.TStatus, o *tcli.TOperationHandle, d *tcli.TSparkDirectResults) *tcli.TGetCatalogsResp {
		return &tcli.TGetCatalogsResp{Status: s, OperationHandle: o, DirectResults: d}
	})
}

// GetSchemas lists schemas.
func (h *handler) GetSchemas(ctx context.Context, req *tcli.TGetSchemasReq) (*tcli.TGetSchemasResp, error) {
	return runMetadataCall(ctx, h, metadataCall{
		name: "GetSchemas", kind: tcli.TOperationType_GET_SCHEMAS, session: req.SessionHandle, direct: req.GetDirectResults, async: req.RunAsync,
		list: func(ctx context.Context, sess *session) (*listing, error) {
			catalogs, err := sess.engine.Objects(ctx)
			out := newListing("TABLE_SCHEM", "TABLE_CATALOG")
			inCatalog, matches := identifierMatcher(req.CatalogName), patternMatcher(req.SchemaName)
			for _, c := range catalogs {
				for _, s := range c.Schemas {
					if inCatalog(c.Name) && matches(s.Name) {
						out.add(s.Name, c.Name)
					}
				}
			}
			return out, err
		},
	}, func(s *tcli.TStatus, o *tcli.TOperationHandle, d *tcli.TSparkDirectResults) *tcli.TGetSchemasResp {
		return &tcli.TGetSchemasResp{Status: s, OperationHandle: o, DirectResults: d}
	})
}

// GetTables lists tables and views.
func (h *handler) GetTables(ctx context.Context, req *tcli.TGetTablesReq) (*tcli.TGetTablesResp, error) {
	return runMetadataCall(ctx, h, metadataCall{
		name: "GetTables", kind: tcli.TOperationType_GET_TABLES, session: req.SessionHandle, direct: req.GetDirectResults, async: req.RunAsync,
		list: func(ctx context.Context, sess *session) (*listing, error) {
			out := newListing("TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE", "REMARKS",
				"TYPE_CAT", "TYPE_SCHEM", "TYPE_NAME", "SELF_REFERENCING_COL_NAME", "REF_GENERATION")
			err := eachTable(
				ctx,
				sess,
				patternMatcher(req.CatalogName),
				patternMatcher(req.SchemaName),
				patternMatcher(req.TableName),
				func(c, s string, t warehouse.TableObject) {
					wanted := func(kind string) bool { return strings.EqualFold(kind, t.Kind) }
					if len(req.TableTypes) == 0 || slices.ContainsFunc(req.TableTypes, wanted) {
						out.add(c, s, t.Name, t.Kind, t.Comment)
					}
				},
			)
			return out, err
		},
	}, func(s *tcli.TStatus, o *tcli.TOperationHandle, d *tcli.TSparkDirectResults) *tcli.TGetTablesResp {
		return &tcli.TGetTablesResp{Status: s, OperationHandle: o, DirectResults: d}
	})
}

// GetColumns lists columns of tables and views.
func (h *handler) GetColumns(ctx context.Context, req *tcli.TGetColumnsReq) (*tcli.TGetColumnsResp, error) {
	return runMetadataCall(ctx, h, metadataCall{
		name: "GetColumns", kind: tcli.TOperationType_GET_COLUMNS, session: req.SessionHandle, direct: req.GetDirectResults, async: req.RunAsync,
		list: func(ctx context.Context, sess *session) (*listing, error) {
			out := newListing("TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME", "COLUMN_NAME", "DATA_TYPE INT",
				"TYPE_NAME", "COLUMN_SIZE INT", "BUFFER_LENGTH SMALLINT", "DECIMAL_DIGITS INT", "NUM_PREC_RADIX INT",
				"NULLABLE INT", "REMARKS", "COLUMN_DEF", "SQL_DATA_TYPE INT", "SQL_DATETIME_SUB INT",
				"CHAR_OCTET_LENGTH INT", "ORDINAL_POSITION INT", "IS_NULLABLE", "SCOPE_CATALOG",
				"SCOPE_SCHEMA", "SCOPE_TABLE", "SOURCE_DATA_TYPE SMALLINT", "IS_AUTO_INCREMENT")
			matches := patternMatcher(req.ColumnName)
			var bad error
			err := eachTable(
				ctx,
				sess,
				identifierMatcher(req.CatalogName),
				patternMatcher(req.SchemaName),
				patternMatcher(req.TableName),
				func(c, s string, t warehouse.TableObject) {
					for i, col := range t.Columns {
						if !matches(col.Name) {
							continue
						}
						row, err := columnRow(c, s, t.Name, i, col)
						if err != nil {
							bad = err
							return
						}
						out.add(row...)
					}
				},
			)
			if err == nil {
				err = bad
			}
			return out, err
		},
	}, func(s *tcli.TStatus, o *tcli.TOperationHandle, d *tcli.TSparkDirectResults) *tcli.TGetColumnsResp {
		return &tcli.TGetColumnsResp{Status: s, OperationHandle: o, DirectResults: d}
	})
}

func columnRow(catalog, schema, table string, i int, col warehouse.ColumnObject) ([]any, error) {
	id, err := rowset.TypeID(col.Type)
	if err != nil {
		return nil, err
	}
	facts := jdbcTypes[id]
	size, digits, radix := facts.size, facts.digits, facts.radix
	if id == tcli.TTypeId_DECIMAL_TYPE {
		precision, scale := rowset.Precision(col.Type)
		size, digits = int(precision), int(scale)
	}
	nullable, isNullable := 0, "NO"
	if col.Nullable {
		nullable, isNullable = 1, "YES"
	}
	return []any{
		catalog, schema, table, col.Name, facts.code, col.Type, nullIfNegative(size), nil, nullIfNegative(digits), nullIfNegative(radix),
		nullable, col.Comment, nil, nil, nil, nil, i, isNullable, nil, nil, nil, nil, "NO",
	}, nil
}

// nullIfNegative returns nil for -1: the type does not have this property.
func nullIfNegative(n int) any {
	if n < 0 {
		return nil
	}
	return n
}
