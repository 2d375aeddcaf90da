package rewrite

import (
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
)

// files are what a file's path is read as: parquet.`/a/b`.
var files = map[string]bool{
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

// relation maps the name of a table. One part may be a temporary view or a
// common table expression, which Spark finds itself.
func (w *walker) relation(parts []string, first, last int) {
	table := Table{Catalog: w.Catalog, Schema: w.Schema, Name: parts[len(parts)-1], Parts: len(parts)}
	switch {
	case len(parts) > 3, len(parts) == 2 && files[strings.ToLower(parts[0])] && strings.Contains(parts[1], "/"):
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
		w.keepName(first, last)
	default:
		if name := w.Names.Table(table.Name); name != strings.ToLower(table.Name) && !w.isExpression(table.Name) {
			w.replace(first, last, quoting.Name(name))
			w.keepName(first, last)
		}
	}
}

// keepName gives a relation of a query whose name had to be escaped its name as
// an alias, unless it has one.
func (w *walker) keepName(first, last int) {
	table := &w.tables[len(w.tables)-1]
	if before := at(w.tokens, first-1); w.Names.Table(table.Name) == strings.ToLower(table.Name) || !w.top().from ||
		before.Upper != "FROM" && before.Upper != "JOIN" && before.Text != "," {
		return
	}
	// Time travel stands between the name and the alias.
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

// isExpression reports whether a name is one of a common table expression.
func (w *walker) isExpression(name string) bool {
	for i, t := range w.tokens {
		if isName(t) && strings.EqualFold(t.Text, name) && at(w.tokens, i+1).Upper == "AS" && at(w.tokens, i+2).Text == "(" {
			return true
		}
	}
	return false
}

// information puts a query in the place of a relation of information_schema,
// under its name unless the statement gives it another.
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

// afterRelation are the words that may follow a relation and are no alias.
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

// column maps the table part of a column's name, where it is one of the tables
// that the statement reads.
func (w *walker) column(first, last int) {
	parts, _ := chain(w.tokens[:last+1], first)
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
		// A name of n parts is 2n-1 tokens.
		text := quoting.Name(w.Names.Schema(t.Catalog, t.Schema), w.Names.Table(t.Name))
		if t.Information || t.Aliased {
			text = quoting.Name(t.Name)
		}
		w.replace(first, first+2*n-2, text)
		return
	}
}

// current puts the user's names in the place of those functions that would say
// Spark's.
func (w *walker) current(function string, first int) {
	if w.token(1).Text != ")" {
		return
	}
	var value, column string
	switch strings.ToUpper(function) {
	case "CURRENT_CATALOG":
		value, column = w.Catalog, "current_catalog()"
	case "CURRENT_SCHEMA", "CURRENT_DATABASE":
		value, column = w.Schema, "current_schema()"
	default:
		return
	}
	text := quoting.Text(value)
	// The column of a bare call keeps the call's name.
	before, after := at(w.tokens, first-1), w.token(2)
	if (before.Text == "," || before.Upper == "SELECT") &&
		(after.Kind == syntax.EOF || after.Text == "," || after.Text == ";" || after.Text == ")" || after.Upper == "FROM") {
		text += " AS " + quoting.Name(column)
	}
	w.replace(first, w.i+1, text)
	w.i += 2
}

// keyword follows what a word says about the names to come. It reports whether
// the word was one of its own.
func (w *walker) keyword(t syntax.Token) bool {
	before := w.token(-1)
	if before.Text == "." && before.Kind == syntax.Op {
		return false
	}
	switch t.Upper {
	case "SELECT":
		w.top().from, w.top().query, w.want = false, true, wantNothing
	case "FROM":
		if from[w.top().function] && !w.top().query || before.Upper == "DISTINCT" && (w.token(-2).Upper == "IS" || w.token(-2).Upper == "NOT") {
			w.want = wantNothing
			return true
		}
		w.top().from, w.want = true, wantTable
	case "JOIN":
		w.want = wantTable
	case "WHERE", "GROUP", "HAVING", "ORDER", "SORT", "CLUSTER", "DISTRIBUTE", "LIMIT", "OFFSET", "WINDOW", "QUALIFY",
		"UNION", "EXCEPT", "INTERSECT", "MINUS", "SET", "WHEN", "VALUES":
		w.top().from, w.want = false, wantNothing
	default:
		if t.Upper == "VIEW" && before.Upper == "LATERAL" {
			w.top().from = false
		}
		return w.object(t, before)
	}
	return true
}

// from are the functions whose arguments are divided by FROM.
var from = map[string]bool{"EXTRACT": true, "TRIM": true, "SUBSTRING": true, "SUBSTR": true, "OVERLAY": true, "POSITION": true}

// object knows the words before the name of a table or a schema outside of
// queries.
func (w *walker) object(t, before syntax.Token) bool {
	table, schema := false, false
	switch t.Upper {
	case "INTO":
		table = before.Upper == "INSERT" || before.Upper == "MERGE"
	case "OVERWRITE":
		table = before.Upper == "INSERT" && w.token(1).Upper != "DIRECTORY"
	case "UPDATE", "OPTIMIZE", "VACUUM", "RESTORE":
		table = w.first()
	case "USING":
		table = w.kind == "MERGE" && len(w.frames) == 1
	case "CLONE":
		table = before.Upper == "SHALLOW" || before.Upper == "DEEP"
	case "TABLE":
		table = w.first() || before.Text == "(" || tableVerb[before.Upper] || setWord[before.Upper]
	case "VIEW":
		table = viewVerb[before.Upper]
	case "LIKE":
		table = (w.kind == "CREATE" || w.kind == "REPLACE") && len(w.tables) == 1 && isName(before) && isName(w.token(1))
	case "TO":
		table = before.Upper == "RENAME" && w.kind == "ALTER"
	case "DESCRIBE", "DESC":
		table = w.first() && !describes[w.token(1).Upper] && !queryStart[w.token(1).Upper]
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
		w.want = wantTable
	case schema:
		w.want = wantSchema
	}
	return table || schema
}

// first reports whether the current word begins the statement.
func (w *walker) first() bool { return w.i == 0 || w.i == 1 && w.kind == "EXPLAIN" }

func words(text string) map[string]bool {
	out := map[string]bool{}
	for word := range strings.FieldsSeq(text) {
		out[word] = true
	}
	return out
}

var (
	tableVerb = words(
		"CREATE REPLACE DROP ALTER TRUNCATE DESCRIBE DESC REFRESH CACHE UNCACHE RESTORE ANALYZE EXTERNAL INTO OVERWRITE ON LAZY SHOW",
	)
	setWord    = words("UNION ALL EXCEPT INTERSECT MINUS AS")
	viewVerb   = words("CREATE REPLACE DROP ALTER TEMPORARY TEMP")
	schemaVerb = words("CREATE DROP ALTER DESCRIBE DESC ON USE")
	describes  = words("TABLE HISTORY DETAIL SCHEMA DATABASE NAMESPACE QUERY FUNCTION CATALOG")
)
