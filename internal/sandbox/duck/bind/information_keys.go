package bind

import (
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
)

// keyRows returns the rows of the relations of primary and foreign keys, which dbt
// reads before each incremental run; ok is false for another relation.
func keyRows(relation string, t *catalog.Table) (rows [][]any, ok bool) {
	row := keyRelations[relation]
	if row == nil {
		return nil, false
	}
	if t.View != nil {
		return nil, true
	}
	for _, k := range t.Head().Keys {
		rows = append(rows, row(t, k)...)
	}
	return rows, true
}

// keyRelations returns the rows of each relation for one key.
var keyRelations = map[string]func(t *catalog.Table, k catalog.Key) [][]any{
	"table_constraints": func(t *catalog.Table, k catalog.Key) [][]any {
		return [][]any{slices.Concat(keyName(t, k), tableParts(t), []any{k.Type(), "YES", "NO", "NO", nil})}
	},
	"key_column_usage": func(t *catalog.Table, k catalog.Key) (rows [][]any) {
		for i, c := range k.Columns {
			var position any
			if k.Foreign {
				position = i + 1
			}
			rows = append(rows, slices.Concat(keyName(t, k), tableParts(t), []any{c, i + 1, position}))
		}
		return rows
	},
	"referential_constraints": func(t *catalog.Table, k catalog.Key) [][]any {
		if !k.Foreign {
			return nil
		}
		return [][]any{slices.Concat(keyName(t, k), []any{k.Parent[0], k.Parent[1], k.ParentKey, "FULL", "NO ACTION", "NO ACTION"})}
	},
	// A foreign key uses its parent's columns.
	"constraint_column_usage": func(t *catalog.Table, k catalog.Key) (rows [][]any) {
		used, columns := usedByKey(t, k)
		for _, c := range columns {
			rows = append(rows, slices.Concat(used, []any{c}, keyName(t, k)))
		}
		return rows
	},
	"constraint_table_usage": func(t *catalog.Table, k catalog.Key) [][]any {
		used, _ := usedByKey(t, k)
		return [][]any{slices.Concat(keyName(t, k), used)}
	},
}

func tableParts(t *catalog.Table) []any { return []any{t.Catalog, t.Schema, t.Name} }

// keyName returns the full name of a key, which is in its table's schema.
func keyName(t *catalog.Table, k catalog.Key) []any { return []any{t.Catalog, t.Schema, k.Name} }

func usedByKey(t *catalog.Table, k catalog.Key) (table []any, columns []string) {
	if !k.Foreign {
		return tableParts(t), k.Columns
	}
	return []any{k.Parent[0], k.Parent[1], k.Parent[2]}, k.ParentColumns
}
