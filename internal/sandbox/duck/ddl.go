package duck

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/metadata"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/ducktype"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// tableDefinition is the definition of a new version of a table.
type tableDefinition struct {
	columns    []catalog.Column
	properties map[string]string
	comment    string
	cluster    []string
	partition  []string
}

// createTable executes CREATE [OR REPLACE] TABLE with columns, AS SELECT, or CLONE.
func (s *session) createTable(ctx context.Context, env *bind.Env, st *syntax.CreateTable) (warehouse.Result, error) {
	n, err := resolve(env, st.Name)
	if err != nil {
		return nil, err
	}
	var result warehouse.Result
	err = s.engine.write(ctx, []string{n.key()}, func(t *txn) error {
		env.Snapshot = t.before
		if err := checkCreatable(env, n); err != nil {
			return err
		}
		old := t.before.Table(n.catalog, n.schema, n.table)
		switch {
		case old != nil && st.IfNotExists:
			result = fixedresult.Empty()
			return nil
		case old != nil && !st.OrReplace:
			return sqlerror.TableExists(n.catalog, n.schema, n.table)
		case old != nil && old.View != nil:
			return notTableError(old, "CREATE OR REPLACE TABLE")
		}
		create := t.createEmpty
		if st.As != nil {
			create = t.createAs
		}
		result, err = create(env, n, old, st)
		return err
	})
	return result, err
}

// checkCreatable checks whether a table or view can be created under a name.
func checkCreatable(env *bind.Env, n tableName) error {
	if strings.EqualFold(n.schema, "information_schema") || strings.EqualFold(n.catalog, "system") {
		return sqlerror.New(
			"INSUFFICIENT_PERMISSIONS",
			"42501",
			"Insufficient privileges: %s cannot be changed.",
			quoting.Name(n.catalog, n.schema),
		)
	}
	_, err := env.Snapshot.Schema(n.catalog, n.schema)
	return err
}

func (t *txn) createEmpty(env *bind.Env, n tableName, old *catalog.Table, st *syntax.CreateTable) (warehouse.Result, error) {
	d := tableDefinition{properties: propertyMap(st.Properties), cluster: st.Cluster, partition: st.Partition}
	if st.Comment != nil {
		d.comment = *st.Comment
	}
	for _, c := range st.Columns {
		if c.Default != nil {
			if _, err := bind.Constant(env, c.Default, c.Type); err != nil {
				return nil, err
			}
		}
		d.columns = append(d.columns, catalog.Column{Name: c.Name, Type: c.Type, NotNull: c.NotNull, Comment: c.Comment, Default: c.DefaultText})
	}
	v, err := t.newVersion(env, old, d, operationName("CREATE TABLE", "CREATE OR REPLACE TABLE", st.OrReplace))
	if err == nil {
		err = addKeys(env, v, n, st.Keys, true)
	}
	if err != nil {
		return nil, err
	}
	if err := t.createPhysical(v); err != nil {
		return nil, err
	}
	return fixedresult.Empty(), t.publish(n, old, v, 0)
}

// operationName returns the name of a commit in DESCRIBE HISTORY.
func operationName(plain, replace string, orReplace bool) string {
	if orReplace {
		return replace
	}
	return plain
}

func (t *txn) createAs(env *bind.Env, n tableName, old *catalog.Table, st *syntax.CreateTable) (warehouse.Result, error) {
	if st.Columns != nil {
		return nil, sqlerror.New(
			"_LEGACY_ERROR_TEMP_0035",
			"42601",
			"Operation not allowed: Schema may not be specified in a Create Table As Select (CTAS) statement.",
		)
	}
	q, err := bind.Bind(env, st.As)
	if err != nil {
		return nil, err
	}
	d := tableDefinition{properties: propertyMap(st.Properties), cluster: st.Cluster, partition: st.Partition}
	if st.Comment != nil {
		d.comment = *st.Comment
	}
	for _, c := range q.Columns {
		d.columns = append(d.columns, catalog.Column{Name: c.Name, Type: c.Type, Comment: c.Comment})
	}
	v, err := t.newVersion(env, old, d, operationName("CREATE TABLE AS SELECT", "CREATE OR REPLACE TABLE AS SELECT", st.OrReplace))
	if err != nil {
		return nil, err
	}
	if err := t.createPhysical(v); err != nil {
		return nil, err
	}
	inserted, err := t.insertRows(env, v, q, sameOrder(len(v.Columns)), nextRow(old))
	if err != nil {
		return nil, err
	}
	v.Metrics = map[string]string{"numFiles": "1", "numOutputRows": strconv.FormatInt(inserted, 10)}
	if err := t.publish(n, old, v, inserted); err != nil {
		return nil, err
	}
	return fixedresult.Counts([]string{"num_affected_rows", "num_inserted_rows"}, inserted, inserted)
}

// joinWithTrailingComma joins columns, with a comma after the last one.
func joinWithTrailingComma(cols []string) string {
	if len(cols) == 0 {
		return ""
	}
	return strings.Join(cols, ", ") + ", "
}

func sameOrder(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func nextRow(old *catalog.Table) int64 {
	if old == nil {
		return 0
	}
	return old.NextRow
}

func propertyMap(ps []syntax.Property) map[string]string {
	m := map[string]string{}
	for _, p := range ps {
		m[p.Key] = p.Value
	}
	return m
}

// newVersion checks a definition, and returns a version with a new physical table.
func (t *txn) newVersion(env *bind.Env, old *catalog.Table, d tableDefinition, op string) (*catalog.Version, error) {
	v := &catalog.Version{
		At:         t.engine.nextCommitTime(),
		Operation:  op,
		User:       env.User,
		Phys:       t.newPhysicalName(),
		Properties: d.properties,
		Comment:    d.comment,
		Cluster:    d.cluster,
		Partition:  d.partition,
		Parameters: map[string]string{
			"partitionBy": jsonList(d.partition),
			"clusterBy":   jsonList(d.cluster),
			"description": d.comment,
			"isManaged":   "true",
			"properties":  jsonMap(d.properties),
		},
		Metrics: map[string]string{},
	}
	if old != nil {
		v.N = old.Head().N + 1
	}
	mapped := strings.EqualFold(d.properties["delta.columnMapping.mode"], "name") ||
		strings.EqualFold(d.properties["delta.columnMapping.mode"], "id")
	if old != nil && !mapped && strings.EqualFold(old.Head().Properties["delta.columnMapping.mode"], "name") && v.Operation != "CLONE" {
		return nil, sqlerror.New(
			"DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE",
			"0AKDC",
			"Changing column mapping mode from 'name' to 'none' is not supported.",
		)
	}
	for i, c := range d.columns {
		c.Phys = fmt.Sprintf("k%d", i)
		if err := checkColumn(c, d.columns[:i], mapped); err != nil {
			return nil, err
		}
		v.Columns = append(v.Columns, c)
	}
	v.NextColumn = len(v.Columns)
	for _, k := range append(slices.Clone(d.cluster), d.partition...) {
		if catalog.FindColumn(v.Columns, k) < 0 {
			return nil, sqlerror.UnresolvedColumn(nil, k)
		}
	}
	return v, nil
}

// checkColumn returns Delta's error for a column that it refuses.
func checkColumn(c catalog.Column, before []catalog.Column, mapped bool) error {
	if catalog.FindColumn(before, c.Name) >= 0 {
		return sqlerror.New(
			"COLUMN_ALREADY_EXISTS",
			"42711",
			"The column %s already exists. Choose another name or rename the existing column.",
			quoting.Name(strings.ToLower(c.Name)),
		)
	}
	if !mapped && metadata.NeedsColumnMapping(c.Name) {
		return sqlerror.New(
			"DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES",
			"42K05",
			"Found invalid character(s) among ' ,;{}()\\n\\t=' in the column names of your schema. Invalid column names: %s. Please use other characters and try again. Alternatively, enable Column Mapping to keep using these characters.",
			c.Name,
		)
	}
	if c.Type.Contains(types.Interval) {
		return sqlerror.New("DELTA_UNSUPPORTED_DATA_TYPES", "0AKDC", "Found columns using unsupported data types: [%s: %s].", c.Name, c.Type)
	}
	return nil
}

// createPhysical creates the DuckDB table of a version.
func (t *txn) createPhysical(v *catalog.Version) error {
	cols := make([]string, len(v.Columns))
	for i, c := range v.Columns {
		cols[i] = c.Phys + " " + ducktype.Of(c.Type)
	}
	_, err := t.exec("CREATE TABLE %s (%s_from BIGINT, _to BIGINT, _rid BIGINT)", v.Phys, joinWithTrailingComma(cols))
	return err
}

// publish adds a version to a table, or creates the table.
func (t *txn) publish(n tableName, old *catalog.Table, v *catalog.Version, inserted int64) error {
	tab := &catalog.Table{ID: 0, UUID: newUUID(), Catalog: n.catalog, Schema: n.schema, Name: n.table, Created: v.At}
	if old != nil {
		copied := *old
		tab = &copied
	} else {
		tab.ID = t.engine.newID()
		sc, err := t.before.Schema(n.catalog, n.schema)
		if err != nil {
			return err
		}
		tab.Catalog, tab.Schema = sc.Catalog, sc.Name
	}
	tab.Versions = append(slices.Clone(tab.Versions), v)
	tab.NextRow += inserted
	return t.putTable(tab, true)
}
