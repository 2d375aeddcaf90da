package repository

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sqlVerbs are the words with which a statement begins. GRANT is not among them: it is in
// texts for people only.
var sqlVerbs = []string{
	"ALTER", "ANALYZE", "CALL", "CLEAR", "CLONE", "COMMENT", "COPY", "CREATE", "DELETE", "DESCRIBE", "DROP", "EXECUTE", "FSCK", "INSERT", "LIST",
	"MERGE", "OPTIMIZE", "PUT", "REFRESH", "REMOVE", "REORG", "REPAIR", "RESTORE", "SELECT", "SET", "SHOW", "SYNC", "TRUNCATE", "UNDROP", "UPDATE",
	"USE", "VACUUM", "WITH",
}

var (
	upperWord = regexp.MustCompile(`^[A-Z_]+$`)
	codeSpan  = regexp.MustCompile("`([^`]+)`")
)

// kindOf is the keywords of a statement, in which "%" stands for a name; empty for another
// text.
func kindOf(text string) string {
	if strings.HasPrefix(text, " ") {
		return "" // a clause
	}
	var words []string
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0 && !slices.Contains(sqlVerbs, word):
			return ""
		case word == "%" && slices.Equal(words, []string{"ALTER", "TABLE"}):
			continue // the action follows the name
		case !upperWord.MatchString(word), word == "IF", word == "AS", word == "IN", word == "LIKE", len(words) == 4:
			return strings.Join(words, " ")
		}
		if words = append(words, word); word == "SELECT" {
			break
		}
	}
	return strings.Join(words, " ")
}

// text returns the text of an expression of string literals, in which "%" stands for
// everything else; empty if it does not begin with a literal.
func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return regexp.MustCompile(`%\[?\d*\]?[a-z]`).ReplaceAllString(s, " % ")
		}
	case *ast.BinaryExpr:
		if left := text(e.X); left != "" && e.Op == token.ADD {
			if right := text(e.Y); right != "" {
				return left + right
			}
			return left + " % "
		}
	}
	return ""
}

// sentKinds are the kinds of statements in the code of a package, with a file of each.
func sentKinds(t *testing.T, folders ...string) map[string]string {
	t.Helper()
	kinds := map[string]string{}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", folder, len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			var visit func(ast.Node) bool
			visit = func(n ast.Node) bool {
				if entry, ok := n.(*ast.KeyValueExpr); ok { // a key is the name of an operation
					ast.Inspect(entry.Value, visit)
					return false
				}
				e, ok := n.(ast.Expr)
				if !ok {
					return true
				}
				kind := kindOf(text(e))
				if kind != "" {
					kinds[kind] = file
				}
				_, concatenated := e.(*ast.BinaryExpr)
				return !concatenated || kind == "" // a part of a statement is none
			}
			ast.Inspect(parsed, visit)
		}
	}
	return kinds
}

// The table of permissions has each kind of statement that the code sends, with the
// privileges that it needs, and no kind that the code does not send.
func TestThePermissionsGuideHasTheStatementsOfTheCode(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("templates/guides/permissions.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(guide), "## What each statement needs")
	section, _, ok := strings.Cut(section, "### Staged files")
	if !ok {
		t.Fatal("the guide has no section of statements")
	}
	documented := map[string]bool{}
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			continue
		}
		for _, m := range codeSpan.FindAllStringSubmatch(cells[1], -1) {
			kind := kindOf(strings.ReplaceAll(m[1], "...", "%"))
			if kind != "" {
				documented[kind] = true
			}
		}
		if strings.TrimSpace(cells[3]) == "" {
			t.Errorf("no privileges in %s", line)
		}
	}
	sent := sentKinds(t, "internal/importer", "internal/exporter", "internal/databricks")
	for kind, file := range sent {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(documented)), func(d string) bool { return strings.HasPrefix(d, kind) }) {
			t.Errorf("%s sends %s, which the guide does not have", file, kind)
		}
	}
	for kind := range documented {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(sent)), func(s string) bool { return strings.HasPrefix(kind, s) }) {
			t.Errorf("the guide has %s, which nothing sends", kind)
		}
	}
	for _, want := range []string{"COPY INTO", "INSERT OVERWRITE", "DESCRIBE HISTORY", "ALTER TABLE CLUSTER BY", "CREATE TEMPORARY TABLE"} {
		if _, found := sent[want]; !found {
			t.Errorf("%s is not found in the code, so this test does not see the statements: got %v", want, slices.Sorted(maps.Keys(sent)))
		}
	}
}

// arithmetic matches a calculation in the guide: an expression and its result.
var arithmetic = regexp.MustCompile("`([-+*/(). 0-9]+) = ([0-9.]+)`")

// The numbers of the worked examples are those of their formulas.
func TestTheWorkedExamplesOfTheProductionGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("templates/guides/databricks-in-production.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	found := arithmetic.FindAllStringSubmatch(string(guide), -1)
	if len(found) < 12 {
		t.Errorf("got %d calculations, want those of two examples", len(found))
	}
	for _, m := range found {
		value, err := types.Eval(token.NewFileSet(), nil, token.NoPos, m[1])
		if err != nil {
			t.Errorf("%s: %v", m[1], err)
			continue
		}
		got, _ := constant.Float64Val(constant.ToFloat(value.Value))
		want, err := strconv.ParseFloat(m[2], 64)
		if err != nil || math.Abs(got-want) > 0.005*want {
			t.Errorf("%s: got %g, the guide has %s", m[1], got, m[2])
		}
	}
}
