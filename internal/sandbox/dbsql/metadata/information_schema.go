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
	"information_schema_catalog_name": relationColumns("catalog_name"),
}

// Relation returns the columns of a relation of information_schema; nil if it does
// not exist. The name is not case-sensitive.
func Relation(name string) []RelationColumn { return relations[strings.ToLower(name)] }

// Relations returns the names of the relations of information_schema.
func Relations() []string { return slices.Sorted(maps.Keys(relations)) }
