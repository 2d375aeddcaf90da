package duck

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/ducktype"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

func lower(s string) string { return strings.ToLower(s) }

// alter executes ALTER TABLE and ALTER VIEW.
func (s *session) alter(ctx context.Context, env *bind.Env, st *syntax.Alter) (warehouse.Result, error) {
	if st.Action == "RENAME" {
		return s.rename(ctx, env, st)
	}
	n, err := resolve(env, st.Name)
	if err != nil {
		return nil, err
	}
	if tab := env.Snapshot.Table(n.catalog, n.schema, n.table); tab != nil && tab.View != nil {
		return s.alterView(ctx, n, st)
	}
	if st.View {
		if env.Snapshot.Table(n.catalog, n.schema, n.table) != nil {
			return nil, sqlerror.New(
				"EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE",
				"42809",
				"The operation expects a view but %s is a table.",
				quoting.Name(st.Name...),
			)
		}
		return nil, sqlerror.TableNotFound(st.Name...)
	}
	err = s.changeTable(ctx, env, st.Name, func(t *txn, tab *catalog.Table) (*catalog.Version, int64, error) {
		v := t.nextVersion(env, tab, st.Action, nil)
		if v.Properties == nil {
			v.Properties = map[string]string{}
		}
		return v, 0, t.alterVersion(env, n, v, st)
	})
	return fixedresult.Empty(), err
}

// alterVersion applies one action to the table's next version.
func (t *txn) alterVersion(env *bind.Env, n tableName, v *catalog.Version, st *syntax.Alter) error {
	mapped := strings.EqualFold(v.Properties["delta.columnMapping.mode"], "name")
	column := func(name string) (*catalog.Column, error) {
		i := catalog.FindColumn(v.Columns, name)
		if i < 0 {
			return nil, sqlerror.UnresolvedColumn(nil, name)
		}
		return &v.Columns[i], nil
	}
	switch st.Action {
	case "SET PROPERTIES":
		v.Operation = "SET TBLPROPERTIES"
		return setProperties(v, st.Properties)
	case "UNSET PROPERTIES":
		v.Operation = "UNSET TBLPROPERTIES"
		for _, k := range st.Keys {
			if _, ok := v.Properties[k]; !ok && !st.IfExists {
				return sqlerror.New("UNSET_NONEXISTENT_PROPERTIES", "42K0J", "Attempted to unset non-existent properties [%s].", k)
			}
			delete(v.Properties, k)
		}
	case "CLUSTER BY":
		for _, n := range st.Names {
			if _, err := column(n); err != nil {
				return err
			}
		}
		v.Cluster = st.Names
	case "ADD COLUMNS":
		return t.addColumns(v, st.Columns, mapped)
	case "DROP COLUMNS", "RENAME COLUMN":
		if !mapped {
			return sqlerror.New(
				"DELTA_UNSUPPORTED_"+strings.ReplaceAll(strings.TrimSuffix(st.Action, "S"), " ", "_"),
				"0AKDC",
				"%s is not supported for your Delta table. Please enable Column Mapping on your Delta table with mapping mode 'name'.",
				st.Action,
			)
		}
		if st.Action == "RENAME COLUMN" {
			c, err := column(st.Column)
			if err != nil {
				return err
			}
			if i := catalog.FindColumn(v.Columns, st.To[0]); i >= 0 && &v.Columns[i] != c {
				return sqlerror.New("FIELD_ALREADY_EXISTS", "42710", "Cannot rename column, because %s already exists.", quoting.Name(st.To[0]))
			}
			v.RenameKeyColumn(c.Name, st.To[0])
			c.Name = st.To[0]
			return nil
		}
		return dropColumns(v, st)
	case "COLUMN COMMENT":
		c, err := column(st.Column)
		if err == nil {
			v.Operation, c.Comment = "CHANGE COLUMN", st.Comment
		}
		return err
	case "COLUMN DEFAULT":
		c, err := column(st.Column)
		if err == nil && st.Default != nil {
			_, err = bind.Constant(env, st.Default, c.Type)
		}
		if err == nil {
			v.Operation, c.Default = "CHANGE COLUMN", st.Text
		}
		return err
	case "ROW FILTER", "COLUMN MASK", "SET TAGS", "UNSET TAGS":
		return changePolicy(v, st, column)
	case "ADD CONSTRAINT":
		return addKeys(env, v, n, []syntax.Key{*st.Key}, false)
	case "DROP CONSTRAINT":
		return dropKey(v, st)
	case "COLUMN NULLABLE":
		return t.setNullable(v, st, column)
	case "COLUMN TYPE":
		return t.setType(v, st, column)
	}
	return nil
}

func setProperties(v *catalog.Version, ps []syntax.Property) error {
	for _, p := range ps {
		if p.Key == "delta.columnMapping.mode" && strings.EqualFold(v.Properties[p.Key], "name") && !strings.EqualFold(p.Value, "name") {
			return sqlerror.New(
				"DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE",
				"0AKDC",
				"Changing column mapping mode from 'name' to '%s' is not supported.",
				p.Value,
			)
		}
		v.Properties[p.Key] = p.Value
	}
	return nil
}

func (t *txn) addColumns(v *catalog.Version, defs []syntax.ColumnDef, mapped bool) error {
	for _, d := range defs {
		c := catalog.Column{Name: d.Name, Type: d.Type, Comment: d.Comment, Phys: fmt.Sprintf("k%d", v.NextColumn)}
		if d.Key != nil {
			return sqlerror.Unsupported("ADD COLUMN with a key")
		}
		if d.NotNull || d.Default != nil {
			return sqlerror.New(
				"WRONG_COLUMN_DEFAULTS_FOR_DELTA_ALTER_TABLE_ADD_COLUMN_NOT_SUPPORTED",
				"0AKDC",
				"Failed to execute the command because NOT NULL and DEFAULT values are not supported when adding new columns to previously existing Delta tables; please add the column %s without them first.",
				quoting.Name(d.Name),
			)
		}
		if err := checkColumn(c, v.Columns, mapped); err != nil {
			return err
		}
		at := len(v.Columns)
		switch {
		case d.First:
			at = 0
		case d.After != "":
			i := catalog.FindColumn(v.Columns, d.After)
			if i < 0 {
				return sqlerror.UnresolvedColumn(nil, d.After)
			}
			at = i + 1
		}
		v.Columns = slices.Insert(v.Columns, at, c)
		v.NextColumn++
		if _, err := t.exec("ALTER TABLE %s ADD COLUMN %s %s", v.Phys, c.Phys, ducktype.Of(c.Type)); err != nil {
			return err
		}
	}
	return nil
}

func dropColumns(v *catalog.Version, st *syntax.Alter) error {
	for _, n := range st.Names {
		i := catalog.FindColumn(v.Columns, n)
		switch {
		case i < 0 && st.IfExists:
			continue
		case i < 0:
			return sqlerror.UnresolvedColumn(nil, n)
		case len(v.Columns) == 1:
			return sqlerror.New("DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA", "0AKDC", "Cannot drop column from a schema with a single column.")
		}
		v.DropKeysOf(v.Columns[i].Name)
		v.Columns = slices.Delete(v.Columns, i, i+1)
	}
	return nil
}

func (t *txn) setNullable(v *catalog.Version, st *syntax.Alter, column func(string) (*catalog.Column, error)) error {
	c, err := column(st.Column)
	if err != nil {
		return err
	}
	if st.NotNull {
		n, err := t.queryCount(fmt.Sprintf("SELECT count(*) FROM %s WHERE _to = %d AND %s IS NULL", v.Phys, int64(bind.NoEnd), c.Phys))
		if err != nil {
			return err
		}
		if n > 0 {
			return sqlerror.New("DELTA_NEW_NOT_NULL_VIOLATION", "23512", "%d rows violate the new NOT NULL constraint on %s.", n, c.Name)
		}
	}
	v.Operation, c.NotNull = "CHANGE COLUMN", st.NotNull
	return nil
}

// setType widens a column's type. The values are copied to a new physical column.
func (t *txn) setType(v *catalog.Version, st *syntax.Alter, column func(string) (*catalog.Column, error)) error {
	c, err := column(st.Column)
	if err != nil {
		return err
	}
	text := c.Type.Kind == types.String && st.Type.Kind == types.String
	if !types.FitsWithoutLoss(c.Type, st.Type) || !text && !strings.EqualFold(v.Properties["delta.enableTypeWidening"], "true") {
		return sqlerror.New(
			"DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP",
			"0AKDC",
			"ALTER TABLE CHANGE COLUMN is not supported for changing column %s from %s to %s.",
			c.Name,
			c.Type,
			st.Type,
		)
	}
	old := c.Phys
	c.Phys = fmt.Sprintf("k%d", v.NextColumn)
	v.NextColumn++
	if _, err := t.exec("ALTER TABLE %s ADD COLUMN %s %s", v.Phys, c.Phys, ducktype.Of(st.Type)); err != nil {
		return err
	}
	v.Operation, c.Type = "CHANGE COLUMN", st.Type
	_, err = t.exec("UPDATE %s SET %s = %s", v.Phys, c.Phys, old)
	return err
}

func (s *session) alterView(ctx context.Context, n tableName, st *syntax.Alter) (warehouse.Result, error) {
	if err := policyOnView(st); err != nil {
		return nil, err
	}
	if st.Action != "SET PROPERTIES" && st.Action != "UNSET PROPERTIES" {
		return nil, sqlerror.New(
			"EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE",
			"42809",
			"'ALTER TABLE ... %s' expects a table but %s is a view.",
			st.Action,
			quoting.Name(st.Name...),
		)
	}
	err := s.engine.write(ctx, []string{n.key()}, func(t *txn) error {
		tab := t.before.Table(n.catalog, n.schema, n.table)
		if tab == nil || tab.View == nil {
			return sqlerror.TableNotFound(st.Name...)
		}
		next, view := *tab, *tab.View
		view.Properties = map[string]string{}
		for k, v := range tab.View.Properties {
			view.Properties[k] = v
		}
		for _, p := range st.Properties {
			view.Properties[p.Key] = p.Value
		}
		for _, k := range st.Keys {
			delete(view.Properties, k)
		}
		next.View = &view
		return t.putTable(&next, false)
	})
	return fixedresult.Empty(), err
}

// rename renames a table or view, which keeps its history.
func (s *session) rename(ctx context.Context, env *bind.Env, st *syntax.Alter) (warehouse.Result, error) {
	from, err := resolve(env, st.Name)
	if err != nil {
		return nil, err
	}
	to, err := resolve(env, st.To)
	if err != nil {
		return nil, err
	}
	if len(st.To) == 1 {
		to.catalog, to.schema = from.catalog, from.schema
	}
	err = s.engine.write(ctx, []string{from.key(), to.key()}, func(t *txn) error {
		env.Snapshot = t.before
		tab := t.before.Table(from.catalog, from.schema, from.table)
		if tab == nil {
			return sqlerror.TableNotFound(st.Name...)
		}
		if err := checkCreatable(env, to); err != nil {
			return err
		}
		if other := t.before.Table(to.catalog, to.schema, to.table); other != nil && other.ID != tab.ID {
			return sqlerror.TableExists(to.catalog, to.schema, to.table)
		}
		next := *tab
		next.Catalog, next.Schema, next.Name = to.catalog, to.schema, to.table
		t.changes = append(t.changes, func(snap *catalog.Snapshot) error {
			sc, err := snap.Schema(tab.Catalog, tab.Schema)
			if err == nil {
				delete(sc.Tables, lower(tab.Name))
			}
			return err
		})
		return t.putTable(&next, false)
	})
	return fixedresult.Empty(), err
}
