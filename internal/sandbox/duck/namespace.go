package duck

import (
	"context"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// namespaceLock is the name that is locked to create or drop a catalog or schema.
const namespaceLock = "\x00namespaces"

func (s *session) createNamespace(ctx context.Context, env *bind.Env, st *syntax.CreateNamespace) (warehouse.Result, error) {
	err := s.engine.write(ctx, []string{namespaceLock}, func(t *txn) error {
		if st.Catalog {
			return t.createCatalog(st)
		}
		catalogName, schema, err := env.Namespace().SchemaName(st.Name)
		if err != nil {
			return err
		}
		c, err := t.before.Catalog(catalogName)
		if err != nil {
			return err
		}
		if c.Schemas[lower(schema)] != nil || strings.EqualFold(schema, "information_schema") {
			if st.IfNotExists {
				return nil
			}
			return sqlerror.SchemaExists(catalogName, schema)
		}
		return t.putSchema(
			&catalog.Schema{
				ID:      t.engine.newID(),
				Catalog: c.Name,
				Name:    schema,
				Comment: st.Comment,
				Created: t.engine.nextCommitTime(),
				Tables:  map[string]*catalog.Table{},
			},
		)
	})
	return fixedresult.Empty(), err
}

func (t *txn) createCatalog(st *syntax.CreateNamespace) error {
	if len(st.Name) != 1 {
		return sqlerror.WrongNameParts("%s has too many parts for a catalog's name.", st.Name...)
	}
	n := st.Name[0]
	if t.before.Catalogs[lower(n)] != nil || strings.EqualFold(n, "system") {
		if st.IfNotExists {
			return nil
		}
		return sqlerror.CatalogExists(n)
	}
	c := &catalog.Catalog{
		ID:      t.engine.newID(),
		Name:    n,
		Comment: st.Comment,
		Created: t.engine.nextCommitTime(),
		Schemas: map[string]*catalog.Schema{},
	}
	if err := saveObject(t.ctx, t.conn, c.ID, "catalog", c); err != nil {
		return err
	}
	t.changes = append(t.changes, func(s *catalog.Snapshot) error {
		s.Catalogs[lower(n)] = c
		return nil
	})
	return t.putSchema(
		&catalog.Schema{ID: t.engine.newID(), Catalog: n, Name: "default", Created: c.Created, Tables: map[string]*catalog.Table{}},
	)
}

func (t *txn) putSchema(sc *catalog.Schema) error {
	if err := saveObject(t.ctx, t.conn, sc.ID, "schema", sc); err != nil {
		return err
	}
	t.changes = append(t.changes, func(s *catalog.Snapshot) error {
		c, err := s.Catalog(sc.Catalog)
		if err != nil {
			return err
		}
		if old := c.Schemas[lower(sc.Name)]; old != nil {
			sc.Tables = old.Tables
		}
		c.Schemas[lower(sc.Name)] = sc
		return nil
	})
	return nil
}

// drop executes DROP TABLE, VIEW, SCHEMA and CATALOG.
func (s *session) drop(ctx context.Context, env *bind.Env, st *syntax.Drop) (warehouse.Result, error) {
	switch st.Kind {
	case "SCHEMA":
		return fixedresult.Empty(), s.dropSchema(ctx, env, st)
	case "CATALOG":
		return fixedresult.Empty(), s.dropCatalog(ctx, st)
	}
	if len(st.Name) == 1 && st.Kind == "VIEW" {
		s.mu.Lock()
		_, temporary := s.views[lower(st.Name[0])]
		delete(s.views, lower(st.Name[0]))
		s.mu.Unlock()
		if temporary {
			return fixedresult.Empty(), nil
		}
	}
	n, err := resolve(env, st.Name)
	if err != nil {
		return nil, err
	}
	err = s.engine.write(ctx, []string{n.key()}, func(t *txn) error {
		tab := t.before.Table(n.catalog, n.schema, n.table)
		switch {
		case tab == nil && st.IfExists:
			return nil
		case tab == nil:
			return sqlerror.TableNotFound(st.Name...)
		case tab.View != nil && st.Kind == "TABLE":
			return sqlerror.New(
				"WRONG_COMMAND_FOR_OBJECT_TYPE",
				"42809",
				"The operation \"DROP TABLE\" requires a EXTERNAL or MANAGED. But %s is a VIEW. Use DROP VIEW instead.",
				quoting.Name(st.Name...),
			)
		case tab.View == nil && st.Kind == "VIEW":
			return sqlerror.New(
				"WRONG_COMMAND_FOR_OBJECT_TYPE",
				"42809",
				"The operation \"DROP VIEW\" requires a VIEW. But %s is a EXTERNAL or MANAGED. Use DROP TABLE instead.",
				quoting.Name(st.Name...),
			)
		}
		return t.dropTable(tab)
	})
	if err == nil {
		s.engine.dropGarbage()
	}
	return fixedresult.Empty(), err
}

func (s *session) dropSchema(ctx context.Context, env *bind.Env, st *syntax.Drop) error {
	catalogName, schema, err := env.Namespace().SchemaName(st.Name)
	if err != nil {
		return err
	}
	return s.engine.write(ctx, []string{namespaceLock}, func(t *txn) error {
		sc, err := t.before.Schema(catalogName, schema)
		if err != nil {
			if st.IfExists {
				return nil
			}
			return err
		}
		if len(sc.Tables) > 0 && !st.Cascade {
			return sqlerror.New(
				"SCHEMA_NOT_EMPTY",
				"2BP01",
				"Cannot drop a schema %s because it contains objects. Use DROP SCHEMA ... CASCADE to drop the schema and all its objects.",
				quoting.Name(sc.Catalog, sc.Name),
			)
		}
		return t.dropSchema(sc)
	})
}

func (t *txn) dropSchema(sc *catalog.Schema) error {
	for _, tab := range catalog.Sorted(sc.Tables) {
		if err := t.dropTable(tab); err != nil {
			return err
		}
	}
	t.changes = append(t.changes, func(s *catalog.Snapshot) error {
		c, err := s.Catalog(sc.Catalog)
		if err == nil {
			delete(c.Schemas, lower(sc.Name))
		}
		return err
	})
	return removeObject(t.ctx, t.conn, sc.ID)
}

func (s *session) dropCatalog(ctx context.Context, st *syntax.Drop) error {
	return s.engine.write(ctx, []string{namespaceLock}, func(t *txn) error {
		c, err := t.before.Catalog(st.Name[0])
		if err != nil {
			if st.IfExists {
				return nil
			}
			return err
		}
		for _, sc := range catalog.Sorted(c.Schemas) {
			if !st.Cascade && (len(sc.Tables) > 0 || sc.Name != "default") {
				return sqlerror.CatalogNotEmpty(c.Name)
			}
			if err := t.dropSchema(sc); err != nil {
				return err
			}
		}
		t.changes = append(t.changes, func(s *catalog.Snapshot) error {
			delete(s.Catalogs, lower(c.Name))
			return nil
		})
		return removeObject(t.ctx, t.conn, c.ID)
	})
}

// createView executes CREATE [OR REPLACE] [TEMPORARY] VIEW.
func (s *session) createView(ctx context.Context, env *bind.Env, st *syntax.CreateView) (warehouse.Result, error) {
	// Binding reports errors in the query now. The view stores only its text.
	n, err := resolve(env, st.Name)
	if err != nil {
		return nil, err
	}
	env.Creating = []string{n.catalog, n.schema, n.table}
	if st.Temporary {
		env.Creating = st.Name
	}
	q, err := bind.Bind(env, st.Query)
	if err != nil {
		return nil, err
	}
	v := &catalog.View{
		Text:       st.Text,
		Catalog:    env.Catalog,
		Schema:     env.Schema,
		Properties: propertyMap(st.Properties),
		Owner:      env.User,
		Temporary:  st.Temporary,
	}
	if st.Comment != nil {
		v.Comment = *st.Comment
	}
	if st.Columns != nil && len(st.Columns) != len(q.Columns) {
		return nil, sqlerror.New(
			"CREATE_VIEW_COLUMN_ARITY_MISMATCH",
			"21S01",
			"Cannot create view %s: the view names %d columns, the query has %d.",
			quoting.Name(st.Name...),
			len(st.Columns),
			len(q.Columns),
		)
	}
	for i, c := range q.Columns {
		col := catalog.Column{Name: c.Name, Type: c.Type, NotNull: !c.Nullable, Comment: c.Comment}
		if st.Columns != nil {
			col.Name, col.Comment = st.Columns[i].Name, st.Columns[i].Comment
		}
		if catalog.FindColumn(v.Columns, col.Name) >= 0 {
			return nil, sqlerror.New(
				"COLUMN_ALREADY_EXISTS",
				"42711",
				"The column %s already exists. Choose another name or rename the existing column.",
				quoting.Name(lower(col.Name)),
			)
		}
		v.Columns = append(v.Columns, col)
	}
	if st.Temporary {
		return fixedresult.Empty(), s.createTemporaryView(st, v)
	}
	if slices.ContainsFunc(sortedKeys(env.TempViews), func(k string) bool { return bind.Mentions(st.Query, k) }) {
		return nil, sqlerror.New(
			"INVALID_TEMP_OBJ_REFERENCE",
			"42K0F",
			"Cannot create the persistent object %s of the type VIEW because it references a temporary view. Please make the temporary object persistent, or make the persistent object temporary.",
			quoting.Name(st.Name...),
		)
	}
	err = s.engine.write(ctx, []string{n.key()}, func(t *txn) error {
		env.Snapshot = t.before
		if err := checkCreatable(env, n); err != nil {
			return err
		}
		sc, err := t.before.Schema(n.catalog, n.schema)
		if err != nil {
			return err
		}
		old := t.before.Table(n.catalog, n.schema, n.table)
		tab := &catalog.Table{UUID: newUUID(), Catalog: sc.Catalog, Schema: sc.Name, Name: n.table, Created: t.engine.nextCommitTime(), View: v}
		switch {
		case old == nil:
			tab.ID = t.engine.newID()
		case old.View == nil && st.OrReplace:
			return sqlerror.New(
				"EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE",
				"42809",
				"The operation expects a view but %s is a table.",
				quoting.Name(st.Name...),
			)
		case st.IfNotExists:
			return nil
		case !st.OrReplace:
			return sqlerror.TableExists(n.catalog, n.schema, n.table)
		default:
			tab.ID, tab.Created = old.ID, old.Created
		}
		return t.putTable(tab, false)
	})
	return fixedresult.Empty(), err
}

func (s *session) createTemporaryView(st *syntax.CreateView, v *catalog.View) error {
	if len(st.Name) != 1 {
		return sqlerror.New(
			"TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS",
			"428EK",
			"CREATE TEMPORARY VIEW or the corresponding Dataset APIs only accept single-part view names, but got: %s.",
			strings.Join(st.Name, "."),
		)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := lower(st.Name[0])
	if s.views[key] != nil && !st.OrReplace {
		return sqlerror.New(
			"TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
			"42P07",
			"Cannot create the temporary view %s because it already exists. Choose a different name, drop or replace the existing view.",
			quoting.Name(st.Name...),
		)
	}
	s.views[key] = v
	return nil
}

// commentOn executes COMMENT ON.
func (s *session) commentOn(ctx context.Context, env *bind.Env, st *syntax.CommentOn) (warehouse.Result, error) {
	text := ""
	if st.Comment != nil {
		text = *st.Comment
	}
	switch st.Kind {
	case "TABLE", "VIEW", "COLUMN":
		return s.commentOnTable(ctx, env, st, text)
	case "SCHEMA":
		catalogName, schema, err := env.Namespace().SchemaName(st.Name)
		if err != nil {
			return nil, err
		}
		err = s.engine.write(ctx, []string{namespaceLock}, func(t *txn) error {
			sc, err := t.before.Schema(catalogName, schema)
			if err != nil {
				return err
			}
			next := *sc
			next.Comment = text
			return t.putSchema(&next)
		})
		return fixedresult.Empty(), err
	}
	return nil, sqlerror.Unsupported("COMMENT ON " + st.Kind)
}

func (s *session) commentOnTable(ctx context.Context, env *bind.Env, st *syntax.CommentOn, text string) (warehouse.Result, error) {
	parts, col := st.Name, ""
	if st.Kind == "COLUMN" {
		if len(parts) < 2 {
			return nil, sqlerror.New("INVALID_IDENTIFIER", "42602", "COMMENT ON COLUMN needs the name of a table and a column.")
		}
		parts, col = parts[:len(parts)-1], parts[len(parts)-1]
	}
	n, err := resolve(env, parts)
	if err != nil {
		return nil, err
	}
	if tab := env.Snapshot.Table(n.catalog, n.schema, n.table); tab != nil && tab.View != nil {
		return nil, sqlerror.Unsupported("COMMENT ON a view")
	}
	err = s.changeTable(ctx, env, parts, func(t *txn, tab *catalog.Table) (*catalog.Version, int64, error) {
		if col == "" {
			v := t.nextVersion(env, tab, "SET TBLPROPERTIES", map[string]string{"properties": jsonMap(map[string]string{"comment": text})})
			v.Comment = text
			return v, 0, nil
		}
		v := t.nextVersion(env, tab, "CHANGE COLUMN", nil)
		i := catalog.FindColumn(v.Columns, col)
		if i < 0 {
			return nil, 0, sqlerror.UnresolvedColumn(nil, col)
		}
		v.Columns[i].Comment = text
		return v, 0, nil
	})
	return fixedresult.Empty(), err
}
