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

// insertRows writes a query's rows into a version's physical table. source
// says which of the query's columns each column of the table takes; -1 is the
// default.
func (t *txn) insertRows(env *bind.Env, v *catalog.Version, q *bind.Query, source []int, base int64) (int64, error) {
	values, err := bind.Store(env, q, v.Columns, source)
	if err != nil {
		return 0, err
	}
	into, from := make([]string, len(v.Columns)), make([]string, len(v.Columns))
	for i, c := range v.Columns {
		into[i], from[i] = c.Phys, fmt.Sprintf("%s AS x%d", values[i], i)
	}
	rows := "(" + q.SQL + ")"
	if strings.Contains(q.SQL, v.Phys) {
		// DuckDB's plan leaves out the condition on the version where the
		// table's statistics say that it holds for every row, and a part of
		// the query that begins later would see what another has written.
		rows = t.staging()
		if _, err := t.exec("CREATE TEMP TABLE %s AS %s", bare(rows), q.SQL); err != nil {
			return 0, err
		}
	}
	return t.exec("INSERT INTO %s (%s_from, _to, _rid, _rcv) SELECT %s%d, %d, %d + row_number() OVER () - 1, %d FROM %s AS s",
		v.Phys, listed(into), listed(from), v.N, int64(bind.Open), base, v.N, rows)
}

// next is a copy of the newest version, to be changed: the same columns in the
// same physical table, under the next number.
func (t *txn) next(env *bind.Env, tab *catalog.Table, op string, parameters map[string]string) *catalog.Version {
	v := *tab.Head()
	v.Columns, v.Properties = slices.Clone(v.Columns), maps.Clone(v.Properties)
	v.N++
	v.At, v.Operation, v.User = t.engine.clock(), op, env.User
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
		return "[]" // strings always encode
	}
	return string(b)
}

func jsonMap(m map[string]string) string {
	if m == nil {
		m = map[string]string{}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return "{}" // strings always encode
	}
	return string(b)
}

// predicate is a condition as DESCRIBE HISTORY shows it.
func predicate(text string) map[string]string {
	if text == "" {
		return map[string]string{"predicate": "[]"}
	}
	return map[string]string{"predicate": jsonList([]string{"(" + strings.TrimSpace(text) + ")"})}
}
