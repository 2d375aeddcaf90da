package rewrite

import (
	"cmp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
)

// Env is the context in which a statement's names and parameters are resolved.
type Env struct {
	Names *Names
	// Catalog and Schema are the current namespace.
	Catalog, Schema string
	// Information returns a query in parentheses for a relation of a catalog's
	// information_schema.
	Information func(catalog, relation string) (string, error)
	Parameters  *Parameters
	// Cluster is set for a session of a cluster, which has no dbsql_version.
	Cluster bool
}

// Statement is a statement rewritten for Spark.
type Statement struct {
	Text string
	// Tables are the tables that the statement names, in order of occurrence.
	Tables []Table
	// Schemas are the schemas that it names where a schema is expected, with their
	// catalogs.
	Schemas [][2]string
	edits   []edit
	source  string
}

// Table is the full name of a table.
type Table struct {
	Catalog, Schema, Name string
	// Parts is the number of parts written in the statement.
	Parts int
	// Information is true for a relation of information_schema.
	Information bool
	// Aliased is true if only the last part can qualify the table's columns.
	Aliased bool
}

// edit replaces the bytes from start to end.
type edit struct {
	start, end int
	text       string
}

// walker visits a statement's tokens once, from first to last.
type walker struct {
	Env
	tokens   []syntax.Token
	i        int
	kind     string // the statement's first word
	expected nameKind
	frames   []frame
	edits    []edit
	tables   []Table
	schemas  [][2]string
	// dottedNames are names in expressions, as the indexes of their first and last
	// tokens.
	dottedNames [][2]int
	err         error
}

// nameKind is the kind of name that is expected next.
type nameKind uint8

const (
	noName nameKind = iota
	tableName
	schemaName
)

// frame is the state within one pair of parentheses.
type frame struct {
	// inFrom is true where a comma separates relations.
	inFrom bool
	// function is the word before the parenthesis; hasSelect is true after a SELECT.
	function  string
	hasSelect bool
}

// Rewrite maps the names of a statement and binds its parameters.
func Rewrite(source string, tokens []syntax.Token, env Env) (*Statement, error) {
	w := &walker{Env: env, tokens: tokens, frames: make([]frame, 1), kind: tokens[0].Upper}
	for w.i < len(tokens) && tokens[w.i].Kind != syntax.EOF && w.err == nil {
		w.step()
	}
	for _, c := range w.dottedNames {
		w.column(c[0], c[1])
	}
	if w.err == nil {
		w.err = env.Parameters.checkAllBound()
	}
	if w.err != nil {
		return nil, w.err
	}
	return (&Statement{Tables: w.tables, Schemas: w.schemas, edits: w.edits, source: source}).applyEdits(), nil
}

// Replace returns the statement with another text for the source from start to end,
// which must not overlap a rewritten name or parameter.
func (s *Statement) Replace(start, end int, text string) *Statement {
	out := *s
	out.edits = append(slices.Clone(s.edits), edit{start, end, text})
	return out.applyEdits()
}

func (s *Statement) applyEdits() *Statement {
	slices.SortStableFunc(s.edits, func(a, b edit) int { return cmp.Or(a.start-b.start, a.end-b.end) })
	var b strings.Builder
	at := 0
	for _, e := range s.edits {
		b.WriteString(s.source[at:e.start])
		b.WriteString(e.text)
		at = e.end
	}
	b.WriteString(s.source[at:])
	s.Text = b.String()
	return s
}

// token returns the token n after the current one; EOF beyond the ends.
func (w *walker) token(n int) syntax.Token { return at(w.tokens, w.i+n) }

func at(tokens []syntax.Token, i int) syntax.Token {
	if i < 0 || i >= len(tokens) {
		return syntax.Token{Kind: syntax.EOF}
	}
	return tokens[i]
}

func (w *walker) top() *frame { return &w.frames[len(w.frames)-1] }

func (w *walker) replace(first, last int, text string) {
	w.edits = append(w.edits, edit{w.tokens[first].Start, w.tokens[last].End, text})
}

// step handles the current token, and following tokens that belong to it.
func (w *walker) step() {
	t := w.tokens[w.i]
	switch t.Kind {
	case syntax.Op:
		w.operator(t)
	case syntax.QuotedWord:
		w.name()
	case syntax.Word:
		if w.identifier() || w.err != nil {
			return
		}
		if w.expected == tableName && w.relationWord(t) || w.expected == schemaName && skippedWords[t.Upper] {
			w.i++
			return
		}
		if w.expected != noName && !notName[t.Upper] {
			w.name()
			return
		}
		if w.keyword(t) {
			w.i++
			return
		}
		w.name()
	default:
		w.expected = noName
		w.i++
	}
}

// skippedWords may stand between a keyword and the name that it expects.
var skippedWords = map[string]bool{"IF": true, "NOT": true, "EXISTS": true, "EXTENDED": true, "FORMATTED": true, "ONLY": true}

// notName are words that are not a table's name where one is expected.
var notName = map[string]bool{
	"SELECT": true, "FROM": true, "WHERE": true, "AS": true, "ON": true, "SET": true, "UNION": true, "EXCEPT": true,
	"INTERSECT": true, "MINUS": true, "GROUP": true, "ORDER": true, "HAVING": true, "LIMIT": true, "JOIN": true,
	"INNER": true, "LEFT": true, "RIGHT": true, "FULL": true, "CROSS": true, "NATURAL": true, "ANTI": true, "SEMI": true,
	"USING": true, "WHEN": true, "WITH": true, "AND": true, "OR": true, "VALUES": true,
}

// relationWord skips words that may precede a relation's name.
func (w *walker) relationWord(t syntax.Token) bool {
	switch t.Upper {
	case "IF", "NOT", "EXISTS", "EXTENDED", "FORMATTED":
		return isName(w.token(1)) && w.kind != "SELECT" && w.kind != "WITH"
	case "TABLE", "LATERAL":
		return isName(w.token(1)) || w.token(1).Text == "("
	case "VALUES":
		w.expected = noName
		return true
	}
	return false
}

func isName(t syntax.Token) bool { return t.Kind == syntax.Word || t.Kind == syntax.QuotedWord }

// identifier handles an IDENTIFIER clause, as the kind of name that is expected. In an
// expression it names a column or a function.
func (w *walker) identifier() bool {
	parts, end, ok, err := syntax.IdentifierClause(w.tokens, w.i, w.Parameters.text)
	if err != nil {
		w.err = err
	}
	if !ok || err != nil {
		return false
	}
	first, last := w.i, end-1
	switch w.expected {
	case tableName:
		w.relation(parts, first, last)
	case schemaName:
		w.schema(parts, first, last)
	default:
		w.replace(first, last, quoting.Name(parts...))
	}
	w.expected, w.i = noName, end
	return true
}

func (w *walker) operator(t syntax.Token) {
	switch t.Text {
	case "(":
		f := frame{}
		if before := w.token(-1); before.Kind == syntax.Word && w.expected == noName {
			f.function = before.Upper
		}
		next := w.token(1)
		if starts := next.Kind == syntax.Word && queryStart[next.Upper]; w.expected == tableName && !starts {
			f.inFrom = true // a join in parentheses
		} else {
			w.expected = noName
		}
		w.frames = append(w.frames, f)
	case ")":
		if len(w.frames) > 1 {
			w.frames = w.frames[:len(w.frames)-1]
		}
		w.expected = noName
	case ",":
		w.expected = noName
		if w.top().inFrom {
			w.expected = tableName
		}
	case "?":
		w.expected = noName
		w.bindMarker("", w.i)
	case ":":
		if next := w.token(1); isName(next) && next.Start == t.End {
			w.bindMarker(next.Text, w.i+1)
			w.i++
		}
		w.expected = noName
	default:
		w.expected = noName
	}
	w.i++
}

var queryStart = map[string]bool{"SELECT": true, "WITH": true, "VALUES": true, "FROM": true, "TABLE": true}

func (w *walker) bindMarker(name string, last int) {
	literal, ok, err := w.Parameters.literal(name)
	if err != nil {
		w.err = err
	}
	if ok {
		w.replace(w.i, last, literal)
	}
}

// dottedName returns the dotted name at index i, and the index after it.
func dottedName(tokens []syntax.Token, i int) (parts []string, end int) {
	for isName(at(tokens, i)) {
		parts = append(parts, tokens[i].Text)
		i++
		if at(tokens, i).Text != "." || at(tokens, i).Kind != syntax.Op || !isName(at(tokens, i+1)) {
			break
		}
		i++
	}
	return parts, i
}

// name handles the dotted name at the current token as the expected kind.
func (w *walker) name() {
	parts, end := dottedName(w.tokens, w.i)
	wanted, first, last := w.expected, w.i, end-1
	w.expected, w.i = noName, end
	next := at(w.tokens, end)
	switch {
	case next.Text == "(" && next.Kind == syntax.Op && wanted != schemaName && !takesColumns[at(w.tokens, first-1).Upper]:
		// A function or a table function.
		if len(parts) == 1 {
			w.currentFunction(parts[0], first)
			w.tableChanges(parts[0])
		}
		return
	case wanted == schemaName:
		w.schema(parts, first, last)
	case wanted == tableName:
		w.relation(parts, first, last)
	case len(parts) > 1:
		w.dottedNames = append(w.dottedNames, [2]int{first, last})
	}
}

// takesColumns are the words before a table's name that may have a column list
// after it.
var takesColumns = wordSet("INTO OVERWRITE TABLE VIEW EXISTS TBLPROPERTIES")
