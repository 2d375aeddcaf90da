package duck

import (
	"context"
	"fmt"
	"strconv"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// changeTable runs f on a table in a write transaction. f returns the new version, or
// nil for no commit, and the number of new row ids.
func (s *session) changeTable(
	ctx context.Context,
	env *bind.Env,
	parts []string,
	f func(t *txn, tab *catalog.Table) (*catalog.Version, int64, error),
) error {
	n, err := resolve(env, parts)
	if err != nil {
		return err
	}
	return s.engine.write(ctx, []string{n.key()}, func(t *txn) error {
		env.Snapshot = t.before
		if len(parts) == 1 && env.TempViews[lower(parts[0])] != nil {
			return sqlerror.New(
				"EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE",
				"42809",
				"The operation expects a table but %s is a view.",
				quoting.Name(parts...),
			)
		}
		tab, err := t.tableToChange(n)
		if err != nil {
			return err
		}
		v, inserted, err := f(t, tab)
		if err != nil || v == nil {
			return err
		}
		return t.publish(n, tab, v, inserted)
	})
}

// insert executes INSERT INTO and INSERT OVERWRITE.
func (s *session) insert(ctx context.Context, env *bind.Env, st *syntax.Insert) (warehouse.Result, error) {
	var inserted int64
	err := s.changeTable(ctx, env, st.Table, func(t *txn, tab *catalog.Table) (*catalog.Version, int64, error) {
		q, err := bind.Bind(env, st.Query)
		if err != nil {
			return nil, 0, err
		}
		mode := "Append"
		if st.Overwrite {
			mode = "Overwrite"
		}
		v := t.nextVersion(env, tab, "WRITE", map[string]string{"mode": mode, "statsOnLoad": "false", "partitionBy": "[]"})
		source, err := insertColumns(st, q, v.Columns, tab.FullName())
		if err != nil {
			return nil, 0, err
		}
		if st.Overwrite {
			// The new rows go to a new physical table; the old ones stay in theirs.
			v.Phys = t.newPhysicalName()
			for i := range v.Columns {
				v.Columns[i].Phys = fmt.Sprintf("k%d", i)
			}
			v.NextColumn = len(v.Columns)
			if err := t.createPhysical(v); err != nil {
				return nil, 0, err
			}
		}
		inserted, err = t.insertRows(env, v, q, source, tab.NextRow)
		v.Metrics = map[string]string{"numFiles": "1", "numOutputRows": strconv.FormatInt(inserted, 10)}
		return v, inserted, err
	})
	if err != nil {
		return nil, err
	}
	return fixedresult.Counts([]string{"num_affected_rows", "num_inserted_rows"}, inserted, inserted)
}

// insertColumns matches the query's columns to the table's.
func insertColumns(st *syntax.Insert, q *bind.Query, to []catalog.Column, table string) ([]int, error) {
	if len(to) == 0 {
		return nil, sqlerror.New(
			"DELTA_READ_TABLE_WITHOUT_COLUMNS",
			"428GU",
			"You are trying to write to a Delta table %s that does not have any columns.",
			table,
		)
	}
	switch {
	case st.ByName:
		return bind.MatchByName(q, to, table)
	case st.Columns != nil:
		if len(st.Columns) != len(q.Columns) {
			return nil, sqlerror.InsertArity(len(st.Columns), len(q.Columns), table)
		}
		return bind.MatchColumns(st.Columns, to, table)
	case len(q.Columns) != len(to):
		return nil, sqlerror.InsertArity(len(to), len(q.Columns), table)
	}
	return sameOrder(len(to)), nil
}

// endRows ends the rows that fulfil a condition: the version v is the first without them.
func (t *txn) endRows(env *bind.Env, tab *catalog.Table, v *catalog.Version, alias string, where syntax.Expr) error {
	matching, err := bind.MatchingRowsQuery(env, tab, alias, where)
	if err != nil {
		return err
	}
	n, err := t.exec("UPDATE %s SET _to = %d WHERE _to = %d AND _rid IN (%s)", v.Phys, v.N, int64(bind.NoEnd), matching)
	v.Metrics["numDeletedRows"] = strconv.FormatInt(n, 10)
	return err
}

// delete executes DELETE FROM, and TRUNCATE TABLE without a condition.
func (s *session) delete(
	ctx context.Context,
	env *bind.Env,
	table []string,
	alias string,
	where syntax.Expr,
	op string,
) (warehouse.Result, error) {
	var n int64
	err := s.changeTable(ctx, env, table, func(t *txn, tab *catalog.Table) (*catalog.Version, int64, error) {
		v := t.nextVersion(env, tab, op, predicateParameter(bind.Describe(where)))
		if err := t.endRows(env, tab, v, alias, where); err != nil {
			return nil, 0, err
		}
		n, _ = strconv.ParseInt(v.Metrics["numDeletedRows"], 10, 64)
		if n == 0 {
			return nil, 0, nil // no rows changed, so nothing is committed
		}
		return v, 0, nil
	})
	if err != nil {
		return nil, err
	}
	if op == "TRUNCATE" {
		return fixedresult.Empty(), nil
	}
	return fixedresult.Counts([]string{"num_affected_rows"}, n)
}

// update executes UPDATE. The changed rows keep their ids.
func (s *session) update(ctx context.Context, env *bind.Env, st *syntax.Update) (warehouse.Result, error) {
	var n int64
	err := s.changeTable(ctx, env, st.Table, func(t *txn, tab *catalog.Table) (*catalog.Version, int64, error) {
		changed, err := bind.UpdateQuery(env, tab, st)
		if err != nil {
			return nil, 0, err
		}
		staged := t.newStagingName()
		if n, err = t.exec("CREATE TEMP TABLE %s AS %s", withoutSchema(staged), changed); err != nil {
			return nil, 0, err
		}
		if n, err = t.queryCount("SELECT count(*) FROM " + staged); err != nil || n == 0 {
			return nil, 0, err
		}
		v := t.nextVersion(env, tab, "UPDATE", predicateParameter(bind.Describe(st.Where)))
		if err := t.replaceRows(v, staged, "TRUE", "TRUE"); err != nil {
			return nil, 0, err
		}
		v.Metrics["numUpdatedRows"] = strconv.FormatInt(n, 10)
		return v, 0, nil
	})
	if err != nil {
		return nil, err
	}
	return fixedresult.Counts([]string{"num_affected_rows"}, n)
}

// withoutSchema removes the schema "temp" from a staging table's name, as CREATE TEMP
// TABLE requires.
func withoutSchema(staged string) string { return staged[len("temp."):] }

// replaceRows ends the rows whose ids are in the staging table under the condition
// closing, and inserts new states from it under the condition writing.
func (t *txn) replaceRows(v *catalog.Version, staged, closing, writing string) error {
	if _, err := t.exec(
		"UPDATE %s SET _to = %d WHERE _to = %d AND _rid IN (SELECT _rid FROM %s WHERE %s)",
		v.Phys,
		v.N,
		int64(bind.NoEnd),
		staged,
		closing,
	); err != nil {
		return err
	}
	into, from := make([]string, len(v.Columns)), make([]string, len(v.Columns))
	for i, c := range v.Columns {
		into[i], from[i] = c.Phys, fmt.Sprintf("x%d", i)
	}
	_, err := t.exec("INSERT INTO %s (%s_from, _to, _rid) SELECT %s%d, %d, _rid FROM %s WHERE %s",
		v.Phys, joinWithTrailingComma(into), joinWithTrailingComma(from), v.N, int64(bind.NoEnd), staged, writing)
	return err
}

// merge executes MERGE INTO.
func (s *session) merge(ctx context.Context, env *bind.Env, st *syntax.Merge) (warehouse.Result, error) {
	counts := make([]int64, 4)
	err := s.changeTable(ctx, env, st.Table, func(t *txn, tab *catalog.Table) (*catalog.Version, int64, error) {
		merged, err := bind.MergeQuery(env, tab, st)
		if err != nil {
			return nil, 0, err
		}
		staged := t.newStagingName()
		if _, err := t.exec("CREATE TEMP TABLE %s AS %s", withoutSchema(staged), merged); err != nil {
			return nil, 0, err
		}
		twice, err := t.queryCount(
			"SELECT count(*) FROM (SELECT _rid FROM " + staged + " WHERE _rid IS NOT NULL GROUP BY _rid HAVING count(*) > 1)",
		)
		if err != nil {
			return nil, 0, err
		}
		if twice > 0 {
			return nil, 0, sqlerror.New(
				"DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE",
				"21506",
				"Cannot perform Merge as multiple source rows matched and attempted to modify the same target row in the Delta table in possibly conflicting ways.",
			)
		}
		for i, action := range []string{bind.MergeUpdate, bind.MergeDelete, bind.MergeInsert} {
			if counts[i+1], err = t.queryCount("SELECT count(*) FROM " + staged + " WHERE action = '" + action + "'"); err != nil {
				return nil, 0, err
			}
			counts[0] += counts[i+1]
		}
		if counts[0] == 0 {
			return nil, 0, nil
		}
		// Inserted rows get row ids that were never used.
		if _, err := t.exec(
			"UPDATE %s SET _rid = %d + r.n FROM (SELECT rowid AS id, row_number() OVER () - 1 AS n FROM %s WHERE action = 'I') AS r WHERE %s.rowid = r.id",
			staged,
			tab.NextRow,
			staged,
			withoutSchema(staged),
		); err != nil {
			return nil, 0, err
		}
		v := t.nextVersion(env, tab, "MERGE", predicateParameter(bind.Describe(st.On)))
		if err := t.replaceRows(v, staged, "action <> 'I'", "action <> 'D'"); err != nil {
			return nil, 0, err
		}
		v.Metrics = map[string]string{
			"numTargetRowsUpdated":  strconv.FormatInt(counts[1], 10),
			"numTargetRowsDeleted":  strconv.FormatInt(counts[2], 10),
			"numTargetRowsInserted": strconv.FormatInt(counts[3], 10),
		}
		return v, counts[3], nil
	})
	if err != nil {
		return nil, err
	}
	return fixedresult.Counts([]string{"num_affected_rows", "num_updated_rows", "num_deleted_rows", "num_inserted_rows"}, counts...)
}
