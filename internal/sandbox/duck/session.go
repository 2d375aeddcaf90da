package duck

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/metadata"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkvalue"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// session implements warehouse.Session. It holds no connection of its own: a statement
// holds one while its result is open.
type session struct {
	engine *Engine
	// cluster is set for a session of a cluster.
	cluster bool

	mu              sync.Mutex
	catalog, schema string
	views           map[string]*catalog.View
	ansi            bool
	zone            string
	conf            map[string]string
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Close ends the session. Its temporary views need no clean-up.
func (s *session) Close() error { return nil }

// env returns the environment for binding a statement now.
func (s *session) env(params []warehouse.Parameter) *bind.Env {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &bind.Env{
		Snapshot: s.engine.currentSnapshot(), Catalog: s.catalog, Schema: s.schema, TempViews: maps.Clone(s.views),
		ANSI: s.ansi, Zone: s.zone, User: s.engine.opts.User, Now: s.engine.opts.Now().UTC(), Params: params, Cluster: s.cluster,
	}
}

// setParameter sets a session parameter, by the name that the client uses.
func (s *session) setParameter(key, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	short := strings.ToUpper(strings.TrimPrefix(strings.ToLower(key), "spark.sql."))
	switch short {
	case "ANSI_MODE", "ANSI.ENABLED":
		switch strings.ToLower(value) {
		case "true":
			s.ansi = true
		case "false":
			s.ansi = false
		default:
			return sqlerror.NotBoolean(key, value)
		}
	case "TIMEZONE", "SESSION.TIMEZONE":
		if _, err := sparkvalue.Zone(value); err != nil {
			return sqlerror.UnknownTimeZone(value)
		}
		s.zone = value
	}
	s.conf[key] = value
	return nil
}

// Execute runs one statement.
func (s *session) Execute(ctx context.Context, statement string, params []warehouse.Parameter) (warehouse.Result, error) {
	st, err := syntax.Parse(statement, params...)
	if err != nil {
		return nil, err
	}
	r, err := s.executeParsed(ctx, st, params)
	return r, databricksError(ctx, err)
}

func (s *session) executeParsed(ctx context.Context, st syntax.Statement, params []warehouse.Parameter) (warehouse.Result, error) {
	env := s.env(params)
	switch st := st.(type) {
	case *syntax.QueryStatement:
		return s.selectRows(ctx, st.Query, params)
	case *syntax.CreateTable:
		return s.createTable(ctx, env, st)
	case *syntax.CreateView:
		return s.createView(ctx, env, st)
	case *syntax.CreateNamespace:
		return s.createNamespace(ctx, env, st)
	case *syntax.Drop:
		return s.drop(ctx, env, st)
	case *syntax.Alter:
		return s.alter(ctx, env, st)
	case *syntax.CommentOn:
		return s.commentOn(ctx, env, st)
	case *syntax.Insert:
		return s.insert(ctx, env, st)
	case *syntax.Update:
		return s.update(ctx, env, st)
	case *syntax.Delete:
		return s.delete(ctx, env, st.Table, st.Alias, st.Where, "DELETE")
	case *syntax.Truncate:
		return s.delete(ctx, env, st.Table, "", nil, "TRUNCATE")
	case *syntax.Merge:
		return s.merge(ctx, env, st)
	case *syntax.Vacuum:
		return s.vacuum(ctx, env, st)
	case *syntax.Optimize:
		return s.optimize(ctx, env, st)
	case *syntax.CopyInto:
		return s.copyInto(ctx, env, st)
	case *syntax.Describe:
		return s.describe(env, st)
	case *syntax.Show:
		return s.show(env, st)
	case *syntax.Use:
		return s.use(env, st)
	case *syntax.Set:
		return s.executeSet(st)
	}
	return nil, sqlerror.NotOnDuckDB("this statement")
}

// selectRows binds a query against the current catalog and streams its rows.
func (s *session) selectRows(ctx context.Context, q *syntax.Query, params []warehouse.Parameter) (warehouse.Result, error) {
	release := s.engine.registerReader()
	bound, err := bind.Bind(s.env(params), q)
	if err != nil {
		release()
		return nil, err
	}
	return s.engine.query(ctx, bound, release)
}

// resolve completes a table's name.
func resolve(env *bind.Env, parts []string) (tableName, error) {
	c, sc, t, err := env.Resolve(parts)
	return tableName{c, sc, t, parts}, err
}

func (s *session) use(env *bind.Env, st *syntax.Use) (warehouse.Result, error) {
	to, err := env.Namespace().Use(st)
	if err != nil {
		return nil, err
	}
	c, err := env.Snapshot.Catalog(to.Catalog)
	if err != nil {
		return nil, err
	}
	if !st.Catalog {
		sc, err := env.Snapshot.Schema(c.Name, to.Schema)
		if err != nil {
			return nil, err
		}
		to.Schema = sc.Name
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catalog, s.schema = c.Name, to.Schema
	return fixedresult.Empty(), nil
}

func (s *session) executeSet(st *syntax.Set) (warehouse.Result, error) {
	cols := metadata.Set
	switch {
	case st.Reset:
		s.mu.Lock()
		defer s.mu.Unlock()
		if st.Key == "" || strings.EqualFold(st.Key, "timezone") {
			s.zone = defaultZone
		}
		if st.Key == "" || strings.EqualFold(st.Key, "ansi_mode") {
			s.ansi = true
		}
		delete(s.conf, st.Key)
		return fixedresult.Empty(), nil
	case st.Value != nil:
		if err := s.setParameter(st.Key, *st.Value); err != nil {
			return nil, err
		}
		return fixedresult.New(cols, [][]any{{st.Key, *st.Value}})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out [][]any
	for _, k := range sortedKeys(s.conf) {
		if st.Key == "" || strings.EqualFold(st.Key, k) {
			out = append(out, []any{k, s.conf[k]})
		}
	}
	if st.Key != "" && out == nil {
		out = append(out, []any{st.Key, "<undefined>"})
	}
	return fixedresult.New(cols, out)
}

// Objects returns all catalogs, schemas, tables and columns.
func (s *session) Objects(ctx context.Context) ([]warehouse.CatalogObject, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var out []warehouse.CatalogObject
	for _, c := range catalog.Sorted(s.engine.currentSnapshot().Catalogs) {
		co := warehouse.CatalogObject{Name: c.Name}
		for _, sc := range catalog.Sorted(c.Schemas) {
			so := warehouse.SchemaObject{Name: sc.Name}
			for _, t := range catalog.Sorted(sc.Tables) {
				to := warehouse.TableObject{Name: t.Name, Kind: t.Kind(), Comment: t.Comment()}
				for _, col := range t.Columns() {
					to.Columns = append(
						to.Columns,
						warehouse.ColumnObject{Name: col.Name, Type: col.Type.String(), Nullable: !col.NotNull, Comment: col.Comment},
					)
				}
				so.Tables = append(so.Tables, to)
			}
			co.Schemas = append(co.Schemas, so)
		}
		out = append(out, co)
	}
	return out, nil
}
