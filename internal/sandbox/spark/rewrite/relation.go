package rewrite

import (
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
)

// fileFormats are the formats in names of files: parquet.`/a/b`.
var fileFormats = map[string]bool{
	"parquet":    true,
	"csv":        true,
	"json":       true,
	"orc":        true,
	"text":       true,
	"avro":       true,
	"delta":      true,
	"binaryfile": true,
}

const information = "information_schema"

// relation maps the name of a table. A single part may be a temporary view or a
// common table expression, which Spark resolves itself.
func (w *walker) relation(parts []string, first, last int) {
	table := Table{Catalog: w.Catalog, Schema: w.Schema, Name: parts[len(parts)-1], Parts: len(parts)}
	switch {
	case len(parts) > 3, len(parts) == 2 && fileFormats[strings.ToLower(parts[0])] && strings.Contains(parts[1], "/"):
		return
	case len(parts) == 3:
		table.Catalog, table.Schema = parts[0], parts[1]
	case len(parts) == 2:
		table.Schema = parts[0]
	}
	table.Information = len(parts) > 1 && strings.EqualFold(table.Schema, information)
	w.tables = append(w.tables, table)
	switch {
	case table.Information:
		w.information(table, first, last)
	case len(parts) > 1:
		w.replace(first, last, quoting.Name(w.Names.Schema(table.Catalog, table.Schema), w.Names.Table(table.Name)))
		w.aliasOriginalName(first, last)
	default:
		if name := w.Names.Table(table.Name); name != strings.ToLower(table.Name) && !w.isCommonTableExpression(table.Name) {
			w.replace(first, last, quoting.Name(name))
			w.aliasOriginalName(first, last)
		}
	}
}

// aliasOriginalName adds the original name as an alias to a relation of a query whose
// name was escaped, unless the relation has an alias.
func (w *walker) aliasOriginalName(first, last int) {
	table := &w.tables[len(w.tables)-1]
	if before := at(w.tokens, first-1); w.Names.Table(table.Name) == strings.ToLower(table.Name) || !w.top().inFrom ||
		before.Upper != "FROM" && before.Upper != "JOIN" && before.Text != "," {
		return
	}
	// The alias follows the time travel clause.
	if next := at(w.tokens, last+1).Upper; (next == "VERSION" || next == "TIMESTAMP") && at(w.tokens, last+2).Upper == "AS" {
		last += 4
	}
	if next := at(w.tokens, last+1); next.Kind == syntax.QuotedWord || next.Kind == syntax.Word && !afterRelation[next.Upper] {
		return
	}
	table.Aliased = true
	end := w.tokens[last].End
	w.edits = append(w.edits, edit{end, end, " AS " + quoting.Name(table.Name)})
}

// isCommonTableExpression reports whether the statement defines name in WITH.
func (w *walker) isCommonTableExpression(name string) bool {
	for i, t := range w.tokens {
		if isName(t) && strings.EqualFold(t.Text, name) && at(w.tokens, i+1).Upper == "AS" && at(w.tokens, i+2).Text == "(" {
			return true
		}
	}
	return false
}

// information replaces a relation of information_schema by a query. Its alias is the
// relation's name, unless the statement gives one.
func (w *walker) information(table Table, first, last int) {
	query, err := w.Information(table.Catalog, table.Name)
	if err != nil {
		w.err = err
		return
	}
	if next := at(w.tokens, last+1); next.Kind == syntax.QuotedWord || next.Kind == syntax.Word && !afterRelation[next.Upper] {
		w.replace(first, last, query)
		return
	}
	w.replace(first, last, query+" AS "+quoting.Name(table.Name))
}

// afterRelation are the words that may follow a relation and are not its alias.
var afterRelation = map[string]bool{
	"WHERE": true, "GROUP": true, "ORDER": true, "HAVING": true, "LIMIT": true, "OFFSET": true, "UNION": true, "EXCEPT": true,
	"INTERSECT": true, "MINUS": true, "JOIN": true, "INNER": true, "LEFT": true, "RIGHT": true, "FULL": true, "CROSS": true,
	"NATURAL": true, "ANTI": true, "SEMI": true, "ON": true, "USING": true, "LATERAL": true, "WINDOW": true, "CLUSTER": true,
	"DISTRIBUTE": true, "SORT": true, "PIVOT": true, "UNPIVOT": true, "TABLESAMPLE": true, "VERSION": true, "TIMESTAMP": true,
	"FOR": true, "SYSTEM_VERSION": true, "QUALIFY": true, "WHEN": true, "SET": true, "SELECT": true,
}

// schema maps the name of a schema.
func (w *walker) schema(parts []string, first, last int) {
	switch len(parts) {
	case 1:
		parts = []string{w.Catalog, parts[0]}
	case 2:
	default:
		return
	}
	w.schemas = append(w.schemas, [2]string{parts[0], parts[1]})
	w.replace(first, last, quoting.Name(w.Names.Schema(parts[0], parts[1])))
}

// column maps the table part of a column's name, if it names a table of the
// statement.
func (w *walker) column(first, last int) {
	parts, _ := dottedName(w.tokens[:last+1], first)
	star := at(w.tokens, last+1).Text == "." && at(w.tokens, last+2).Text == "*"
	for _, t := range w.tables {
		n := 0
		switch {
		case t.Parts == 1:
			continue
		case len(parts) >= 3 && strings.EqualFold(parts[0], t.Catalog) && strings.EqualFold(parts[1], t.Schema) && strings.EqualFold(parts[2], t.Name):
			n = 3
		case strings.EqualFold(parts[0], t.Schema) && strings.EqualFold(parts[1], t.Name) && strings.EqualFold(t.Catalog, w.Catalog):
			n = 2
		}
		if n == 0 || n == len(parts) && !star {
			continue
		}
		// A name of n parts has 2n-1 tokens.
		text := quoting.Name(w.Names.Schema(t.Catalog, t.Schema), w.Names.Table(t.Name))
		if t.Information || t.Aliased {
			text = quoting.Name(t.Name)
		}
		w.replace(first, first+2*n-2, text)
		return
	}
}

// currentFunction replaces the functions that would return Spark's catalog or schema
// by the user's names.
func (w *walker) currentFunction(function string, first int) {
	if w.token(1).Text != ")" {
		return
	}
	var value, column string
	switch strings.ToUpper(function) {
	case "CURRENT_CATALOG":
		value, column = w.Catalog, "current_catalog()"
	case "CURRENT_SCHEMA", "CURRENT_DATABASE":
		value, column = w.Schema, "current_schema()"
	case "CURRENT_VERSION":
		w.replace(first, w.i+1, currentVersion(w.Cluster))
		w.i += 2
		return
	default:
		return
	}
	text := quoting.Text(value)
	// An unaliased call in the select list keeps its column name.
	before, after := at(w.tokens, first-1), w.token(2)
	if (before.Text == "," || before.Upper == "SELECT") &&
		(after.Kind == syntax.EOF || after.Text == "," || after.Text == ";" || after.Text == ")" || after.Upper == "FROM") {
		text += " AS " + quoting.Name(column)
	}
	w.replace(first, w.i+1, text)
	w.i += 2
}

// currentVersion is the value of current_version(), which only Databricks has.
func currentVersion(cluster bool) string {
	runtime, warehouse := "CAST(NULL AS STRING)", "'2025.35'"
	if cluster {
		runtime, warehouse = "'15.4.x-scala2.12'", "CAST(NULL AS STRING)"
	}
	return "named_struct('dbr_version', " + runtime + ", 'dbsql_version', " + warehouse + ")"
}

// tableChanges maps the table's name in table_changes('a.b.c', ...), at whose
// parenthesis the walker is.
func (w *walker) tableChanges(function string) {
	name := w.token(1)
	if !strings.EqualFold(function, "table_changes") || name.Kind != syntax.StringToken {
		return
	}
	tokens, err := syntax.Lex(name.Text)
	if err != nil {
		return // Spark refuses the name
	}
	parts, end := dottedName(tokens, 0)
	if len(parts) == 0 || len(parts) > 3 || at(tokens, end).Kind != syntax.EOF {
		return
	}
	before := len(w.edits)
	w.relation(parts, w.i+1, w.i+1)
	for i := range w.edits[before:] {
		e := &w.edits[before+i]
		e.text = quoting.Text(e.text)
	}
}

// keyword updates the state of the walker for a keyword. It returns false if the word
// is not one.
func (w *walker) keyword(t syntax.Token) bool {
	before := w.token(-1)
	if before.Text == "." && before.Kind == syntax.Op {
		return false
	}
	switch t.Upper {
	case "SELECT":
		w.top().inFrom, w.top().hasSelect, w.expected = false, true, noName
	case "FROM":
		if fromFunctions[w.top().function] && !w.top().hasSelect ||
			before.Upper == "DISTINCT" && (w.token(-2).Upper == "IS" || w.token(-2).Upper == "NOT") {
			w.expected = noName
			return true
		}
		w.top().inFrom, w.expected = true, tableName
	case "JOIN":
		w.expected = tableName
	case "WHERE", "GROUP", "HAVING", "ORDER", "SORT", "CLUSTER", "DISTRIBUTE", "LIMIT", "OFFSET", "WINDOW", "QUALIFY",
		"UNION", "EXCEPT", "INTERSECT", "MINUS", "SET", "WHEN", "VALUES":
		w.top().inFrom, w.expected = false, noName
	default:
		if t.Upper == "VIEW" && before.Upper == "LATERAL" {
			w.top().inFrom = false
		}
		return w.objectKeyword(t, before)
	}
	return true
}

// fromFunctions are the functions that use FROM between their arguments.
var fromFunctions = map[string]bool{"EXTRACT": true, "TRIM": true, "SUBSTRING": true, "SUBSTR": true, "OVERLAY": true, "POSITION": true}

// objectKeyword handles the keywords before a table's or schema's name outside of
// queries.
func (w *walker) objectKeyword(t, before syntax.Token) bool {
	table, schema := false, false
	switch t.Upper {
	case "INTO":
		table = before.Upper == "INSERT" || before.Upper == "MERGE"
	case "OVERWRITE":
		table = before.Upper == "INSERT" && w.token(1).Upper != "DIRECTORY"
	case "UPDATE", "OPTIMIZE", "VACUUM", "RESTORE":
		table = w.atStart()
	case "USING":
		table = w.kind == "MERGE" && len(w.frames) == 1
	case "CLONE":
		table = before.Upper == "SHALLOW" || before.Upper == "DEEP"
	case "TABLE":
		table = w.atStart() || before.Text == "(" || tableVerb[before.Upper] || setWord[before.Upper]
	case "VIEW":
		table = viewVerb[before.Upper]
	case "LIKE":
		table = (w.kind == "CREATE" || w.kind == "REPLACE") && len(w.tables) == 1 && isName(before) && isName(w.token(1))
	case "TO":
		table = before.Upper == "RENAME" && w.kind == "ALTER"
	case "DESCRIBE", "DESC":
		table = w.atStart() && !describes[w.token(1).Upper] && !queryStart[w.token(1).Upper]
	case "HISTORY", "DETAIL":
		table = (before.Upper == "DESCRIBE" || before.Upper == "DESC") && isName(w.token(1))
	case "TBLPROPERTIES", "PARTITIONS":
		table = before.Upper == "SHOW"
	case "COLUMNS":
		if w.kind == "SHOW" && before.Upper == "SHOW" && w.token(1).Upper == "IN" {
			w.i++
			table = true
		}
	case "SCHEMA", "DATABASE", "NAMESPACE":
		schema = schemaVerb[before.Upper]
	default:
		return false
	}
	switch {
	case table:
		w.expected = tableName
	case schema:
		w.expected = schemaName
	}
	return table || schema
}

// atStart reports whether the current word begins the statement, or follows EXPLAIN.
func (w *walker) atStart() bool { return w.i == 0 || w.i == 1 && w.kind == "EXPLAIN" }

func wordSet(text string) map[string]bool {
	out := map[string]bool{}
	for word := range strings.FieldsSeq(text) {
		out[word] = true
	}
	return out
}

var (
	tableVerb = wordSet(
		"CREATE REPLACE DROP ALTER TRUNCATE DESCRIBE DESC REFRESH CACHE UNCACHE RESTORE ANALYZE EXTERNAL INTO OVERWRITE ON LAZY SHOW",
	)
	setWord    = wordSet("UNION ALL EXCEPT INTERSECT MINUS AS")
	viewVerb   = wordSet("CREATE REPLACE DROP ALTER TEMPORARY TEMP")
	schemaVerb = wordSet("CREATE DROP ALTER DESCRIBE DESC ON USE")
	describes  = wordSet("TABLE HISTORY DETAIL SCHEMA DATABASE NAMESPACE QUERY FUNCTION CATALOG")
)
