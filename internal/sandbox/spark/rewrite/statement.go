package rewrite

import (
	"cmp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
)

// Env is what a statement's names and parameters mean.
type Env struct {
	Names *Names
	// Catalog and Schema complete short names.
	Catalog, Schema string
	// Information writes a relation of a catalog's information_schema as a query
	// in parentheses. The statement is given for what it asks of the relation.
	Information func(catalog, relation string) (string, error)
	Parameters  *Parameters
}

// Statement is a statement for Spark.
type Statement struct {
	Text string
	// Tables are the tables that the statement names, in order.
	Tables []Table
	// Schemas are the catalogs and schemas that it names as such.
	Schemas [][2]string
	edits   []edit
	source  string
}

// Table is the whole name of a table.
type Table struct {
	Catalog, Schema, Name string
	// Parts is how many of them the statement wrote.
	Parts int
	// Information says that it is a relation of information_schema.
	Information bool
	// Aliased says that it goes by its last part only.
	Aliased bool
}

// edit replaces text[start:end].
type edit struct {
	start, end int
	text       string
}

// walker goes over a statement's tokens once.
type walker struct {
	Env
	tokens  []syntax.Token
	i       int
	kind    string // the statement's first word
	want    want
	frames  []frame
	edits   []edit
	tables  []Table
	schemas [][2]string
	// chains are dotted names in expressions, as ranges of tokens.
	chains [][2]int
	err    error
}

// want is what kind of name comes next.
type want uint8

const (
	wantNothing want = iota
	wantTable
	wantSchema
)

// frame is what is known inside one pair of parentheses.
type frame struct {
	// from says that commas separate relations.
	from bool
	// function is the word before the parenthesis; query says that a SELECT came.
	function string
	query    bool
}

// Rewrite maps the names of a statement and binds its parameters.
func Rewrite(source string, tokens []syntax.Token, env Env) (*Statement, error) {
	w := &walker{Env: env, tokens: tokens, frames: make([]frame, 1), kind: tokens[0].Upper}
	for w.i < len(tokens) && tokens[w.i].Kind != syntax.EOF && w.err == nil {
		w.step()
	}
	for _, c := range w.chains {
		w.column(c[0], c[1])
	}
	if w.err == nil {
		w.err = env.Parameters.allBound()
	}
	if w.err != nil {
		return nil, w.err
	}
	return (&Statement{Tables: w.tables, Schemas: w.schemas, edits: w.edits, source: source}).apply(), nil
}

// Replace returns the statement with another text in the place of a part of its
// source, which no name or parameter is in.
func (s *Statement) Replace(start, end int, text string) *Statement {
	out := *s
	out.edits = append(slices.Clone(s.edits), edit{start, end, text})
	return out.apply()
}

func (s *Statement) apply() *Statement {
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

// token is the one n after the current one; EOF beyond the end.
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

// step handles the current token and those that belong to it.
func (w *walker) step() {
	t := w.tokens[w.i]
	switch t.Kind {
	case syntax.Op:
		w.operator(t)
	case syntax.QuotedWord:
		w.name()
	case syntax.Word:
		if w.want == wantTable && w.relationWord(t) || w.want == wantSchema && skipped[t.Upper] {
			w.i++
			return
		}
		if w.want != wantNothing && !notName[t.Upper] {
			w.name()
			return
		}
		if w.keyword(t) {
			w.i++
			return
		}
		w.name()
	default:
		w.want = wantNothing
		w.i++
	}
}

// skipped stand between a keyword and the name it announces.
var skipped = map[string]bool{"IF": true, "NOT": true, "EXISTS": true, "EXTENDED": true, "FORMATTED": true, "ONLY": true}

// notName cannot begin a table's name where one is expected.
var notName = map[string]bool{
	"SELECT": true, "FROM": true, "WHERE": true, "AS": true, "ON": true, "SET": true, "UNION": true, "EXCEPT": true,
	"INTERSECT": true, "MINUS": true, "GROUP": true, "ORDER": true, "HAVING": true, "LIMIT": true, "JOIN": true,
	"INNER": true, "LEFT": true, "RIGHT": true, "FULL": true, "CROSS": true, "NATURAL": true, "ANTI": true, "SEMI": true,
	"USING": true, "WHEN": true, "WITH": true, "AND": true, "OR": true, "VALUES": true,
}

// relationWord passes words that may stand before a relation's name.
func (w *walker) relationWord(t syntax.Token) bool {
	switch t.Upper {
	case "IF", "NOT", "EXISTS", "EXTENDED", "FORMATTED":
		return isName(w.token(1)) && w.kind != "SELECT" && w.kind != "WITH"
	case "TABLE", "LATERAL":
		return isName(w.token(1)) || w.token(1).Text == "("
	case "VALUES":
		w.want = wantNothing
		return true
	case "IDENTIFIER":
		return w.identifier()
	}
	return false
}

func isName(t syntax.Token) bool { return t.Kind == syntax.Word || t.Kind == syntax.QuotedWord }

// identifier reads IDENTIFIER('a.b.c').
func (w *walker) identifier() bool {
	if w.token(1).Text != "(" || w.token(2).Kind != syntax.StringToken || w.token(3).Text != ")" {
		return false
	}
	tokens, err := syntax.Lex(w.token(2).Text)
	if err != nil {
		return false
	}
	parts, end := chain(tokens, 0)
	if at(tokens, end).Kind != syntax.EOF {
		return false
	}
	w.relation(parts, w.i, w.i+3)
	w.want, w.i = wantNothing, w.i+3
	return true
}

func (w *walker) operator(t syntax.Token) {
	switch t.Text {
	case "(":
		f := frame{}
		if before := w.token(-1); before.Kind == syntax.Word && w.want == wantNothing {
			f.function = before.Upper
		}
		next := w.token(1)
		if starts := next.Kind == syntax.Word && queryStart[next.Upper]; w.want == wantTable && !starts {
			f.from = true // a join in parentheses
		} else {
			w.want = wantNothing
		}
		w.frames = append(w.frames, f)
	case ")":
		if len(w.frames) > 1 {
			w.frames = w.frames[:len(w.frames)-1]
		}
		w.want = wantNothing
	case ",":
		w.want = wantNothing
		if w.top().from {
			w.want = wantTable
		}
	case "?":
		w.want = wantNothing
		w.bind("", w.i)
	case ":":
		if next := w.token(1); isName(next) && next.Start == t.End {
			w.bind(next.Text, w.i+1)
			w.i++
		}
		w.want = wantNothing
	default:
		w.want = wantNothing
	}
	w.i++
}

var queryStart = map[string]bool{"SELECT": true, "WITH": true, "VALUES": true, "FROM": true, "TABLE": true}

func (w *walker) bind(name string, last int) {
	literal, ok, err := w.Parameters.next(name)
	if err != nil {
		w.err = err
	}
	if ok {
		w.replace(w.i, last, literal)
	}
}

// chain reads a dotted name from i; end is the token after it.
func chain(tokens []syntax.Token, i int) (parts []string, end int) {
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

// name handles a dotted name by what is expected at its place.
func (w *walker) name() {
	parts, end := chain(w.tokens, w.i)
	wanted, first, last := w.want, w.i, end-1
	w.want, w.i = wantNothing, end
	next := at(w.tokens, end)
	switch {
	case next.Text == "(" && next.Kind == syntax.Op && wanted != wantSchema && !takesColumns[at(w.tokens, first-1).Upper]:
		// A function, of a table or of values.
		if len(parts) == 1 {
			w.current(parts[0], first)
		}
		return
	case wanted == wantSchema:
		w.schema(parts, first, last)
	case wanted == wantTable:
		w.relation(parts, first, last)
	case len(parts) > 1:
		w.chains = append(w.chains, [2]int{first, last})
	}
}

// takesColumns are the words before a table's name after which a parenthesis
// lists its columns.
var takesColumns = words("INTO OVERWRITE TABLE VIEW EXISTS TBLPROPERTIES")
