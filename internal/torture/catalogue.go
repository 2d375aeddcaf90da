package torture

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed catalogue.txt
var catalogueText string

// Failure is a failure of the catalogue: something that went wrong in a real product of
// this kind, and what this product owes its users.
type Failure struct {
	Number  int
	Section string
	// Failure is what goes wrong; Owed, if it is not the same sentence, is what has
	// to happen instead.
	Failure, Owed string
}

// Catalogue returns the failures in the order of their numbers.
func Catalogue() []Failure {
	var list []Failure
	section := ""
	for line := range strings.Lines(catalogueText) {
		line = strings.TrimSuffix(line, "\n")
		if title, ok := strings.CutPrefix(line, "# "); ok {
			section = title
			continue
		}
		parts := strings.SplitN(line, "|", 3)
		n, err := strconv.Atoi(parts[0])
		if err != nil || len(parts) != 3 || n != len(list)+1 {
			panic(fmt.Sprintf("catalogue.txt: %q is not the line of number %d", line, len(list)+1))
		}
		list = append(list, Failure{n, section, parts[1], parts[2]})
	}
	return list
}

// Shown is a test that shows a failure of the catalogue.
type Shown struct {
	// Folder is the test's package, with slashes, and Test the function; empty if the
	// number is named outside of functions.
	Folder, Test string
}

var named = regexp.MustCompile(`(?i)\bchecklist((?:[ ,]+\d+)+)`)

// Tests finds the tests that name numbers of the catalogue in their comments, in the
// folder internal of a repository. Each list is sorted.
func Tests(root string) (map[int][]Shown, error) {
	found := map[int][]Shown{}
	err := filepath.WalkDir(filepath.Join(root, "internal"), func(file string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		return testsOf(file, filepath.ToSlash(folder), found)
	})
	for n := range found {
		slices.SortFunc(found[n], func(a, b Shown) int { return strings.Compare(a.Folder+" "+a.Test, b.Folder+" "+b.Test) })
		found[n] = slices.Compact(found[n])
	}
	return found, err
}

func testsOf(file, folder string, found map[int][]Shown) error {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, c := range parsed.Comments {
		for _, m := range named.FindAllStringSubmatch(c.Text(), -1) {
			for _, digits := range strings.FieldsFunc(m[1], func(r rune) bool { return r < '0' || r > '9' }) {
				n, err := strconv.Atoi(digits)
				if err != nil {
					return fmt.Errorf("%s names number %s of the catalogue: %w", path.Join(folder, filepath.Base(file)), digits, err)
				}
				found[n] = append(found[n], Shown{folder, functionOf(parsed, c)})
			}
		}
	}
	return nil
}

// functionOf returns the function that a comment documents or is in.
func functionOf(f *ast.File, c *ast.CommentGroup) string {
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && (fn.Doc == c || fn.Pos() <= c.Pos() && c.End() <= fn.End()) {
			return fn.Name.Name
		}
	}
	return ""
}
