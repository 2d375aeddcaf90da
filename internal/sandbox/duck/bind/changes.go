package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkvalue"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
)

// changeColumns follow the table's own columns in the result of table_changes.
var changeColumns = []Column{
	{Name: "_change_type", Type: types.StringType, Nullable: true},
	{Name: "_commit_version", Type: types.BigIntType, Nullable: true},
	{Name: "_commit_timestamp", Type: types.TimestampType, Nullable: true},
}

// tableChanges binds table_changes('name', start [, end]): the change data feed of the
// commits from start to end, both inclusive, in the table's newest schema. The rows come
// from the physical table, which knows for each row the commits that wrote and ended it:
// https://docs.databricks.com/aws/en/sql/language-manual/functions/table_changes
func (b *binder) tableChanges(t *syntax.TableFunction, outer *scope) *fromItem {
	args := t.Call.Args
	if len(args) < 2 || len(args) > 3 {
		panic(sqlerror.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605",
			"The `table_changes` requires [2, 3] parameters but the actual number is %d.", len(args)))
	}
	name := b.expr(args[0], &scope{})
	if name.text == nil || name.Type.Kind != types.String {
		panic(sqlerror.New("INVALID_PARAMETER_VALUE", "22023", "The first argument of table_changes must be the name of a table in quotes."))
	}
	parts, err := syntax.ParseRelationName(*name.text)
	panicOnError(err)
	tab, err := b.env.Table(parts)
	panicOnError(err)
	if tab.View != nil {
		panic(sqlerror.New("DELTA_TABLE_ONLY_OPERATION", "0AKDD", "%s is not a Delta table. %s is only supported for Delta tables.",
			quoting.Name(parts...), "table_changes"))
	}
	if tab.Head().Governed() {
		panic(sqlerror.PolicyNotSupported(tab.FullName(), "CHANGE_DATA_FEED",
			"Change data feed for tables with row level security policy and column mask policies"))
	}
	start, end := b.changeBound(args[1]), tab.Head().N
	if len(args) == 3 {
		end = b.changeBound(args[2])
	}
	checkChangeRange(tab, start, end)
	end = min(end, tab.Head().N)
	cols := make([]Column, 0, len(tab.Head().Columns)+len(changeColumns))
	for _, c := range tab.Head().Columns {
		cols = append(cols, Column{Name: c.Name, Type: c.Type, Nullable: true, Comment: c.Comment})
	}
	return b.subquery("("+b.changesQuery(tab, start, end)+")", append(cols, changeColumns...), t.Alias, parts, outer)
}

// changeBound returns the version that an argument of table_changes names.
func (b *binder) changeBound(x syntax.Expr) int64 {
	e := b.expr(x, &scope{})
	if e.Type.Kind == types.Void {
		panic(sqlerror.New("DELTA_CDC_READ_NULL_RANGE_BOUNDARY", "22004",
			"CDC read start/end parameters cannot be null. Please provide a valid version or timestamp."))
	}
	if e.text != nil && e.Type.Integral() {
		if n, ok := sparkvalue.ParseInt(*e.text, 64, false); ok {
			return n
		}
	}
	panic(sqlerror.NotOnDuckDB("table_changes between timestamps"))
}

// checkChangeRange refuses a range that the feed does not have whole: Delta reads all of
// the range or none of it.
func checkChangeRange(tab *catalog.Table, start, end int64) {
	switch {
	case start > tab.Head().N:
		panic(sqlerror.New("DELTA_CDC_START_VERSION_AFTER_LATEST", "22003",
			"Provided Start version(%d) for reading change data is invalid. Start version cannot be greater than the latest version of the table(%d).",
			start, tab.Head().N))
	case end < start:
		panic(sqlerror.New("DELTA_INVALID_CDC_RANGE", "22003",
			"CDC range from start %d to end %d was invalid. End cannot be before start.", start, end))
	case start < 0:
		panic(sqlerror.New("DELTA_VERSION_INVALID", "42815", "The provided version (%d) is not a valid version.", start))
	}
	for _, v := range tab.Versions[start : min(end, tab.Head().N)+1] {
		if !v.ChangeFeed() {
			panic(sqlerror.New("DELTA_MISSING_CHANGE_DATA", "KD002",
				"Error getting change data for range [%d , %d] as change data was not recorded for version [%d]. If you've enabled change data "+
					"feed on this table, use `DESCRIBE HISTORY` to see when it was first enabled. Otherwise, to start recording change data, "+
					"use `ALTER TABLE table_name SET TBLPROPERTIES (delta.enableChangeDataFeed=true)`.", start, end, v.N))
		}
	}
	if tab.First > 0 && start <= tab.First {
		panic(sqlerror.New("DELTA_CHANGE_DATA_FILE_NOT_FOUND", "42K03",
			"File referenced in the transaction log cannot be found. This occurs when data has been manually deleted from the file system "+
				"rather than using the table `DELETE` statement. This request appears to be targeting Change Data Feed, if that is the case, "+
				"this error can occur when the change data file is out of the retention period and has been deleted by the `VACUUM` statement."))
	}
}

// changesQuery returns a query of the changes of the commits from start to end. Commits
// that share a physical table are one scan for each kind of image.
func (b *binder) changesQuery(tab *catalog.Table, start, end int64) string {
	var images []string
	for first := start; first <= end; {
		last := first
		for last < end && tab.Versions[last+1].Phys == tab.Versions[first].Phys {
			last++
		}
		v := tab.Versions[last]
		if first > 0 && tab.Versions[first-1].Phys != v.Phys {
			// The commit replaced the table's content: no row of the old one was ended.
			old := tab.Versions[first-1]
			images = append(images, b.imageQuery(tab, old, "delete", fmt.Sprintf("%d", first),
				fmt.Sprintf("%s <= %d AND %s > %d", ColumnFrom, old.N, ColumnTo, old.N), start, end))
		}
		images = append(images,
			b.imageQuery(tab, v, "insert", ColumnFrom, fmt.Sprintf("%s >= %d AND %s <= %d", ColumnFrom, first, ColumnFrom, last), start, end),
			b.imageQuery(tab, v, "delete", ColumnTo, fmt.Sprintf("%s >= %d AND %s <= %d", ColumnTo, first, ColumnTo, last), start, end))
		first = last + 1
	}
	n := len(tab.Head().Columns)
	columns := make([]string, 0, n+3)
	for i := range n {
		columns = append(columns, fmt.Sprintf("c%d", i))
	}
	times := make([]string, 0, end-start+1)
	for _, v := range tab.Versions[start : end+1] {
		times = append(times, fmt.Sprintf("WHEN %d THEN %s", v.N, timestampSQL(v.At.UnixMicro())))
	}
	// A commit that both ends and writes a row of one id has updated it, unless it
	// replaced the whole table.
	updated := fmt.Sprintf("CASE WHEN updates AND count(*) OVER (PARTITION BY version, rid) > 1 "+
		"THEN CASE kind WHEN 'insert' THEN 'update_postimage' ELSE 'update_preimage' END ELSE kind END AS c%d", n)
	columns = append(columns, updated, fmt.Sprintf("version AS c%d", n+1),
		fmt.Sprintf("CASE version %s END AS c%d", strings.Join(times, " "), n+2))
	return fmt.Sprintf("SELECT %s FROM (%s)", strings.Join(columns, ", "), strings.Join(images, " UNION ALL "))
}

// imageQuery returns a query of the rows of a version's physical table that fulfil a
// condition, in the table's newest schema.
func (b *binder) imageQuery(tab *catalog.Table, v *catalog.Version, kind, version, where string, start, end int64) string {
	updating := []string{"false"}
	for _, w := range tab.Versions[start : end+1] {
		if w.Operation == "UPDATE" || w.Operation == "MERGE" {
			updating = append(updating, fmt.Sprintf("%s = %d", version, w.N))
		}
	}
	parts := make([]string, 0, len(tab.Head().Columns)+4)
	for i, c := range tab.Head().Columns {
		parts = append(parts, fmt.Sprintf("%s AS c%d", b.changedColumn(v, c, tab.Head().ColumnMapping()), i))
	}
	parts = append(parts, "'"+kind+"' AS kind", version+" AS version", ColumnRow+" AS rid",
		"("+strings.Join(updating, " OR ")+") AS updates")
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s", strings.Join(parts, ", "), v.Phys, where)
}

// changedColumn returns the SQL of a column of the newest schema in an older version:
// NULL where the column did not exist yet.
func (b *binder) changedColumn(v *catalog.Version, c catalog.Column, mapped bool) string {
	i := catalog.FindColumn(v.Columns, c.Name)
	switch {
	case i < 0 && mapped && hasPhysical(v.Columns, c.Phys):
		panic(sqlerror.New("DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE", "0AKDC",
			"Retrieving table changes failed because of an incompatible schema change: column %s was renamed after version %d.", c.Name, v.N))
	case i < 0:
		return "NULL"
	case v.Columns[i].Type.String() != c.Type.String():
		if !types.FitsWithoutLoss(v.Columns[i].Type, c.Type) {
			panic(sqlerror.New("DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA", "0AKDC",
				"Retrieving table changes failed because of an incompatible data schema: column %s is %s at version %d, and %s in the read schema.",
				c.Name, v.Columns[i].Type, v.N, c.Type))
		}
		return b.castSQL(v.Columns[i].Phys, v.Columns[i].Type, c.Type, castANSI)
	}
	return v.Columns[i].Phys
}

func hasPhysical(columns []catalog.Column, phys string) bool {
	for _, c := range columns {
		if c.Phys == phys {
			return true
		}
	}
	return false
}
