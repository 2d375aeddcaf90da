package duck

import (
	"maps"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
)

// changePolicy sets or removes a row filter, a column mask, or the tags of a table or
// column. CREATE OR REPLACE makes columns and a version without them, as Databricks does.
func changePolicy(v *catalog.Version, st *syntax.Alter, column func(string) (*catalog.Column, error)) error {
	tags := &v.Tags
	if st.Column != "" {
		c, err := column(st.Column)
		if err != nil {
			return err
		}
		if st.Action == "COLUMN MASK" {
			if err := checkMaskColumns(st); err != nil {
				return err
			}
			c.Mask = strings.Join(st.To, ".")
			return nil
		}
		tags = &c.Tags
	}
	if st.Action == "ROW FILTER" {
		for _, n := range st.Names {
			if _, err := column(n); err != nil {
				return err
			}
		}
		v.RowFilter = strings.Join(st.To, ".")
		return nil
	}
	changed := maps.Clone(*tags)
	if changed == nil {
		changed = map[string]string{}
	}
	for _, p := range st.Properties {
		changed[p.Key] = p.Value
	}
	for _, k := range st.Keys {
		delete(changed, k)
	}
	*tags = changed
	return nil
}

// checkMaskColumns returns Databricks' error for a name that USING COLUMNS may not
// contain.
func checkMaskColumns(st *syntax.Alter) error {
	for i, n := range st.Names {
		if strings.EqualFold(n, st.Column) {
			return sqlerror.New("COLUMN_MASKS_USING_COLUMN_NAME_SAME_AS_TARGET_COLUMN", "42734",
				"The column %s had the same name as the target column, which is invalid; "+
					"please remove the column from the USING COLUMNS list and retry the command.", quoting.Name(n))
		}
		if slices.ContainsFunc(st.Names[:i], func(other string) bool { return strings.EqualFold(n, other) }) {
			return sqlerror.New("COLUMN_MASKS_DUPLICATE_USING_COLUMN_NAME", "42734",
				"An ALTER TABLE statement attempted to assign a column mask policy to a column which included two or more other referenced columns "+
					"in the USING COLUMNS list with the same name %s, which is invalid.", quoting.Name(n))
		}
	}
	return nil
}

// policyOnView returns Databricks' error for a policy of a view; nil for another
// action.
func policyOnView(st *syntax.Alter) error {
	switch st.Action {
	case "COLUMN MASK":
		return sqlerror.New("COLUMN_MASKS_FEATURE_NOT_SUPPORTED.VIEWS", "0A000",
			"Column mask policies for %s are not supported: Setting column mask policies for views.", quoting.Name(st.Name...))
	case "ROW FILTER":
		return sqlerror.New("ROW_LEVEL_SECURITY_FEATURE_NOT_SUPPORTED.VIEWS", "0A000",
			"Row level security policies for %s are not supported: Setting row level security policy for views.", quoting.Name(st.Name...))
	}
	return nil
}
