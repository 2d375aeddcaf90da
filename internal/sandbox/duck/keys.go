package duck

import (
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
)

// addKeys adds primary and foreign keys to a version of table n. Databricks does not
// enforce them: they serve SQLAlchemy, dbt's contracts, and tools that draw relations.
// A new table's key columns become NOT NULL; those of an existing table must be.
func addKeys(env *bind.Env, v *catalog.Version, n tableName, keys []syntax.Key, newTable bool) error {
	for _, k := range keys {
		key := catalog.Key{Name: k.Name, Foreign: k.Foreign, Columns: slices.Clone(k.Columns)}
		for i, name := range key.Columns {
			at := catalog.FindColumn(v.Columns, name)
			if at < 0 {
				return sqlerror.UnresolvedColumn(nil, name)
			}
			c := &v.Columns[at]
			key.Columns[i] = c.Name
			switch {
			case k.Foreign:
			case newTable:
				c.NotNull = true
			case !c.NotNull:
				return sqlerror.New("INVALID_PARAMETER_VALUE", "22023",
					"Cannot create the primary key %s because its child column(s) %s is nullable. Please change the column nullability and retry.",
					quoting.Name(k.Name), quoting.Name(c.Name))
			}
		}
		if k.Foreign {
			if err := reference(env, &key, k); err != nil {
				return err
			}
		}
		if key.Name == "" {
			key.Name = lower(n.table) + "_pk"
			if k.Foreign {
				key.Name = lower(n.table) + "_" + key.Parent[2] + "_fk"
			}
		}
		if err := checkNewKey(v, key); err != nil {
			return err
		}
		v.Keys = append(slices.Clone(v.Keys), key)
	}
	return nil
}

// reference completes a foreign key with the columns of its parent's primary key.
func reference(env *bind.Env, key *catalog.Key, k syntax.Key) error {
	parent, err := env.Table(k.Parent)
	if err != nil {
		return err
	}
	key.Parent = []string{parent.Catalog, parent.Schema, parent.Name}
	if parent.View == nil {
		for _, candidate := range parent.Head().Keys {
			if !candidate.Foreign && (k.ParentColumns == nil || slices.EqualFunc(candidate.Columns, k.ParentColumns, strings.EqualFold)) {
				key.ParentKey, key.ParentColumns = candidate.Name, candidate.Columns
			}
		}
	}
	if len(key.ParentColumns) != len(key.Columns) {
		return sqlerror.New("INVALID_PARAMETER_VALUE", "22023",
			"Cannot create the foreign key %s because it does not reference the primary key of %s.",
			quoting.Name(k.Name), quoting.Name(key.Parent...))
	}
	return nil
}

func checkNewKey(v *catalog.Version, key catalog.Key) error {
	for _, old := range v.Keys {
		if strings.EqualFold(old.Name, key.Name) || !old.Foreign && !key.Foreign {
			return sqlerror.New("DELTA_CONSTRAINT_ALREADY_EXISTS", "42710",
				"Constraint '%s' already exists. Please delete the old constraint first.\nOld constraint: %s", old.Name, old)
		}
	}
	return nil
}

// dropKey removes the key that is named, or the primary key.
func dropKey(v *catalog.Version, st *syntax.Alter) error {
	i := slices.IndexFunc(v.Keys, func(k catalog.Key) bool {
		if st.To == nil {
			return !k.Foreign
		}
		return strings.EqualFold(k.Name, st.To[0])
	})
	switch {
	case i >= 0:
		v.Keys = slices.Delete(slices.Clone(v.Keys), i, i+1)
	case !st.IfExists:
		return sqlerror.New("DELTA_CONSTRAINT_DOES_NOT_EXIST", "42704",
			"Cannot drop nonexistent constraint %s from table %s. To avoid throwing an error, provide the parameter IF EXISTS.",
			strings.Join(st.To, ""), quoting.Name(st.Name...))
	}
	return nil
}

// describeKeys returns the rows of DESCRIBE TABLE EXTENDED about keys.
func describeKeys(tab *catalog.Table) [][]any {
	if tab.View != nil || len(tab.Head().Keys) == 0 {
		return nil
	}
	out := [][]any{{"", "", ""}, {"# Constraints", "", ""}}
	for _, k := range tab.Head().Keys {
		out = append(out, []any{k.Name, k.String(), ""})
	}
	return out
}
