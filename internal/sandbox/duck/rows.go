package duck

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
)

// insertRows inserts a query's rows into a version's physical table. source holds, for
// each of the table's columns, the index of the query's column, or -1 for the default.
func (t *txn) insertRows(env *bind.Env, v *catalog.Version, q *bind.Query, source []int, base int64) (int64, error) {
	values, err := bind.StoreExprs(env, q, v.Columns, source)
	if err != nil {
		return 0, err
	}
	into, from := make([]string, len(v.Columns)), make([]string, len(v.Columns))
	for i, c := range v.Columns {
		into[i], from[i] = c.Phys, fmt.Sprintf("%s AS x%d", values[i], i)
	}
	rows := "(" + q.SQL + ")"
	if strings.Contains(q.SQL, v.Phys) {
		// The query reads the table that it writes to. If the statistics say that all rows
		// fulfil the condition on the version, DuckDB drops the condition from the plan,
		// and a part of the query could read rows that another part has inserted. So the
		// rows are staged first.
		rows = t.newStagingName()
		if _, err := t.exec("CREATE TEMP TABLE %s AS %s", withoutSchema(rows), q.SQL); err != nil {
			return 0, err
		}
	}
	return t.exec("INSERT INTO %s (%s_from, _to, _rid) SELECT %s%d, %d, %d + row_number() OVER () - 1 FROM %s AS s",
		v.Phys, joinWithTrailingComma(into), joinWithTrailingComma(from), v.N, int64(bind.NoEnd), base, rows)
}

// nextVersion returns the version that follows the newest one, for the caller to change.
// It has the same columns and the same physical table.
func (t *txn) nextVersion(env *bind.Env, tab *catalog.Table, op string, parameters map[string]string) *catalog.Version {
	v := *tab.Head()
	v.Columns, v.Properties = slices.Clone(v.Columns), maps.Clone(v.Properties)
	v.N++
	v.At, v.Operation, v.User = t.engine.nextCommitTime(), op, env.User
	v.Parameters, v.Metrics = parameters, map[string]string{}
	if v.Parameters == nil {
		v.Parameters = map[string]string{}
	}
	return &v
}

func jsonList(names []string) string {
	if names == nil {
		names = []string{}
	}
	b, err := json.Marshal(names)
	if err != nil {
		return "[]" // encoding strings cannot fail
	}
	return string(b)
}

func jsonMap(m map[string]string) string {
	if m == nil {
		m = map[string]string{}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return "{}" // encoding strings cannot fail
	}
	return string(b)
}

// predicateParameter returns a condition as DESCRIBE HISTORY shows it.
func predicateParameter(text string) map[string]string {
	if text == "" {
		return map[string]string{"predicate": "[]"}
	}
	return map[string]string{"predicate": jsonList([]string{"(" + strings.TrimSpace(text) + ")"})}
}
