package repository

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// namedFunction matches a function and its file in the documents.
	namedFunction = regexp.MustCompile("`([A-Za-z.]+)` in `([\\w./]+\\.go)`")
	namedPath     = regexp.MustCompile("`(internal/[\\w./]+)`")
)

// Every function that ARCHITECTURE.md and AGENTS.md name is declared in the
// file that they name with it.
func TestFunctionsNamedInDocumentsExist(t *testing.T) {
	t.Parallel()
	for document, least := range map[string]int{"ARCHITECTURE.md": 20, "AGENTS.md": 10} {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		found := namedFunction.FindAllStringSubmatch(string(text), -1)
		if len(found) < least {
			t.Errorf("%s names %d functions, want at least %d", document, len(found), least)
		}
		for _, m := range found {
			if !declares(t, m[2], m[1]) {
				t.Errorf("%s: %s is not declared in %s", document, m[1], m[2])
			}
		}
		for _, m := range namedPath.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "NAME") { // a placeholder of a recipe
				continue
			}
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("%s: %v", document, err)
			}
		}
	}
}

// declares reports whether a file declares a function, or a method as
// Type.Method.
func declares(t *testing.T, file, name string) bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Errorf("%v", err)
		return false
	}
	for _, d := range parsed.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		full := f.Name.Name
		if f.Recv != nil {
			full = receiver(f.Recv.List[0].Type) + "." + full
		}
		if full == name {
			return true
		}
	}
	return false
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// Every package directly under internal has its row in ARCHITECTURE.md.
func TestEveryPackageHasItsRowInTheArchitecture(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("internal")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if folder := filepath.ToSlash(filepath.Join("internal", e.Name())); e.IsDir() && !strings.Contains(string(text), "`"+folder+"`") {
			t.Errorf("ARCHITECTURE.md has no row for %s", folder)
		}
	}
}

var namedTest = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")

// Every test that SECURITY.md names exists.
func TestTestsNamedInSecurityExist(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	err = filepath.WalkDir("internal", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				declared[f.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	named := namedTest.FindAllStringSubmatch(string(text), -1)
	if len(named) < 20 {
		t.Errorf("SECURITY.md names %d tests, want at least 20", len(named))
	}
	for _, m := range named {
		if !declared[m[1]] {
			t.Errorf("SECURITY.md names the test %s, which does not exist", m[1])
		}
	}
}
