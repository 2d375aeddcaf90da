package api_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
)

// updateEnv, if set, makes the test write openapi.json instead of comparing it.
const updateEnv = "LYTICS_UPDATE_OPENAPI"

// openapi.json describes the server's operations, with the comments of package
// jobs as descriptions.
func TestOpenAPIDescriptionIsUpToDate(t *testing.T) {
	t.Parallel()
	doc := api.OpenAPI()
	explain(t, doc)
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	if os.Getenv(updateEnv) != "" {
		if err := os.WriteFile("openapi.json", text, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != string(api.Description) {
		t.Errorf("openapi.json is out of date: run %s=1 go test ./internal/runner/api", updateEnv)
	}
}

// explain adds the comments of package jobs to the schemas and properties that
// have no description from a tag.
func explain(t *testing.T, doc *huma.OpenAPI) {
	t.Helper()
	types, fields := comments(t)
	for name, s := range doc.Components.Schemas.Map() {
		if s.Description == "" {
			s.Description = types[name]
		}
		for property, of := range s.Properties {
			if of.Description == "" && of.Ref == "" {
				of.Description = fields[name+"."+property]
			}
		}
	}
}

// comments returns the comments of package jobs: of types by name, and of
// fields by "Type.json_name". The fields of an embedded struct also belong to
// the struct that embeds it.
func comments(t *testing.T) (types, fields map[string]string) {
	t.Helper()
	types, fields = map[string]string{}, map[string]string{}
	embeds := map[string][]string{}
	files, err := fs.Glob(os.DirFS("../../jobs"), "*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("package jobs cannot be read: %v", err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("../../jobs", name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			decl, ok := n.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE {
				return true
			}
			for _, spec := range decl.Specs {
				named, _ := spec.(*ast.TypeSpec)
				of, ok := named.Type.(*ast.StructType)
				if !ok {
					continue
				}
				types[named.Name.Name] = oneLine(decl.Doc)
				for _, f := range of.Fields.List {
					if id, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 {
						embeds[named.Name.Name] = append(embeds[named.Name.Name], id.Name)
					} else if f.Tag != nil {
						tag, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json"), ",")
						fields[named.Name.Name+"."+tag] = oneLine(f.Doc)
					}
				}
			}
			return true
		})
	}
	embeds["Run"] = append(embeds["Run"], "FailureTexts") // by Run.MarshalJSON
	embeds["TableImport"] = append(embeds["TableImport"], "ImportDurations")
	embeds["JobSpec"] = append(embeds["JobSpec"], "JobDurations")
	embeds["Job"] = append(embeds["Job"], "JobSpec", "JobDurations")
	for outer, all := range embeds {
		for _, inner := range all {
			for key, text := range fields {
				if of, property, _ := strings.Cut(key, "."); of == inner {
					fields[outer+"."+property] = text
				}
			}
		}
	}
	return types, fields
}

func oneLine(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }
