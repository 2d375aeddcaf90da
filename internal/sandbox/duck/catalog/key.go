package catalog

import (
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
)

// Key is an informational primary or foreign key of a table.
type Key struct {
	Name    string
	Foreign bool
	Columns []string
	// Parent is the full name of the table that a foreign key references, ParentKey the
	// name of the primary key there, and ParentColumns its columns.
	Parent        []string
	ParentKey     string
	ParentColumns []string
}

// String returns the key as DESCRIBE TABLE EXTENDED shows it.
func (k Key) String() string {
	if !k.Foreign {
		return "PRIMARY KEY " + columnList(k.Columns)
	}
	return "FOREIGN KEY " + columnList(k.Columns) + " REFERENCES " + quoting.Name(k.Parent...) + " " + columnList(k.ParentColumns)
}

// Type returns PRIMARY KEY or FOREIGN KEY.
func (k Key) Type() string {
	if k.Foreign {
		return "FOREIGN KEY"
	}
	return "PRIMARY KEY"
}

func columnList(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quoting.Name(n)
	}
	return "(" + strings.Join(quoted, ", ") + ")"
}

// RenameKeyColumn renames a column in the version's keys.
func (v *Version) RenameKeyColumn(from, to string) {
	keys := slices.Clone(v.Keys)
	for i := range keys {
		keys[i].Columns = slices.Clone(keys[i].Columns)
		for j, c := range keys[i].Columns {
			if strings.EqualFold(c, from) {
				keys[i].Columns[j] = to
			}
		}
	}
	v.Keys = keys
}

// DropKeysOf removes the keys that contain a column.
func (v *Version) DropKeysOf(column string) {
	v.Keys = slices.DeleteFunc(slices.Clone(v.Keys), func(k Key) bool {
		return slices.ContainsFunc(k.Columns, func(c string) bool { return strings.EqualFold(c, column) })
	})
}
