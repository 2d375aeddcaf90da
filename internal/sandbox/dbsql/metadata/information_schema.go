package metadata

import (
	"maps"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// RelationColumn is a column of a relation of information_schema.
type RelationColumn struct {
	Name     string
	Type     *types.Type
	Nullable bool
}

// relationColumns parses column names. A column is a STRING unless ":int" or ":ts"
// follows its name, and nullable if it ends in a question mark.
func relationColumns(text string) []RelationColumn {
	var out []RelationColumn
	for f := range strings.FieldsSeq(text) {
		name, nullable := strings.CutSuffix(f, "?")
		name, suffix, _ := strings.Cut(name, ":")
		c := RelationColumn{Name: name, Type: types.StringType, Nullable: nullable}
		switch suffix {
		case "int":
			c.Type = types.IntType
		case "ts":
			c.Type = types.TimestampType
		}
		out = append(out, c)
	}
	return out
}

var relations = map[string][]RelationColumn{
	"catalogs": relationColumns("catalog_name catalog_owner comment? created:ts created_by last_altered:ts last_altered_by"),
	"schemata": relationColumns("catalog_name schema_name schema_owner comment? created:ts created_by last_altered:ts last_altered_by"),
	"tables": relationColumns("table_catalog table_schema table_name table_type is_insertable_into commit_action table_owner comment? " +
		"created:ts created_by last_altered:ts last_altered_by data_source_format? storage_path?"),
	"views": relationColumns("table_catalog table_schema table_name view_definition? check_option is_updatable is_insertable_into sql_path?"),
	"columns": relationColumns(
		"table_catalog table_schema table_name column_name ordinal_position:int column_default? is_nullable full_data_type data_type " +
			"character_maximum_length:int? character_octet_length:int? numeric_precision:int? numeric_precision_radix:int? numeric_scale:int? " +
			"datetime_precision:int? is_identity is_updatable partition_index:int? comment?",
	),
	"table_constraints": relationColumns("constraint_catalog constraint_schema constraint_name table_catalog table_schema table_name " +
		"constraint_type is_deferrable initially_deferred enforced comment?"),
	"key_column_usage": relationColumns("constraint_catalog constraint_schema constraint_name table_catalog table_schema table_name " +
		"column_name ordinal_position:int position_in_unique_constraint:int?"),
	"referential_constraints": relationColumns("constraint_catalog constraint_schema constraint_name " +
		"unique_constraint_catalog unique_constraint_schema unique_constraint_name match_option update_rule delete_rule"),
	"constraint_column_usage": relationColumns("table_catalog table_schema table_name column_name " +
		"constraint_catalog constraint_schema constraint_name"),
	"constraint_table_usage": relationColumns("constraint_catalog constraint_schema constraint_name " +
		"table_catalog table_schema table_name"),
	"information_schema_catalog_name": relationColumns("catalog_name"),
	// The documentation has the first eight columns. dbt-databricks reads the last three
	// on real workspaces, so both are here.
	"column_masks": relationColumns("catalog_name schema_name table_name column_name mask_catalog mask_schema " +
		"mask_name mask_col_usage? table_catalog table_schema using_columns?"),
	"row_filters": relationColumns("catalog_name schema_name table_name filter_catalog filter_schema filter_name " +
		"filter_col_usage?"),
	"table_tags":  relationColumns("catalog_name schema_name table_name tag_name tag_value"),
	"column_tags": relationColumns("catalog_name schema_name table_name column_name tag_name tag_value"),
}

// Relation returns the columns of a relation of information_schema; nil if it does
// not exist. The name is not case-sensitive.
func Relation(name string) []RelationColumn { return relations[strings.ToLower(name)] }

// Relations returns the names of the relations of information_schema.
func Relations() []string { return slices.Sorted(maps.Keys(relations)) }
