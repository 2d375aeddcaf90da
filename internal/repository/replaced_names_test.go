package repository

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// replacedNames are names that needed their comment to be understood, with the
// names that replaced them. Words that mean something else elsewhere, such as took
// for a duration, are not among them.
var replacedNames = map[string]string{
	"pump": "copyRows", "unpin": "releaseSnapshot and advanceWatermark",
	"Ahead": "FutureSentThrough", "landed": "replacementCommitted",
	"harmless": "idempotent", "ExecRepeatable": "ExecIdempotent", "Passing": "Transient", "Carry": "Enqueue", "borrowed": "nestedTx",
	"letGo": "releaseClaim", "keeper": "LocalPlatform", "steer": "pauseCommand and its like", "profileWindow": "buildTx",
	"beat": "keepLease", "victim": "killed or child process",
}

// replacedFiles are names of files that did not say what is in them.
var replacedFiles = []string{
	"lift.go", "guard.go", "endings.go", "words.go", "rates.go", "keep.go", "orphan.go", "side.go", "window.go", "window_tables.go",
	"steer.go", "util.go", "common.go", "helpers.go",
}

func TestNoDeclarationHasAReplacedName(t *testing.T) {
	t.Parallel()
	files := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "build" || d.Name() == "testdata" || d.Name() == "tcli") {
			if err == nil {
				err = filepath.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		for _, old := range replacedFiles {
			if d.Name() == old {
				t.Errorf("%s has a replaced name", path)
			}
		}
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, name := range declared(f) {
			if now, old := replacedNames[name.Name]; old {
				t.Errorf("%s declares %s, which is called %s now", files.Position(name.Pos()), name.Name, now)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// declared returns the names of a file's functions, methods, types, fields, variables
// and constants, those inside functions left out.
func declared(f *ast.File) (names []*ast.Ident) {
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			names = append(names, fn.Name)
			continue
		}
		ast.Inspect(d, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				names = append(names, n.Name)
			case *ast.ValueSpec:
				names = append(names, n.Names...)
			case *ast.Field:
				names = append(names, n.Names...)
			case *ast.FuncLit:
				return false
			}
			return true
		})
	}
	return names
}
