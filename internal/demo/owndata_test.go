package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

const ownCSV = `customer_id,Full Name,order,active,signed_up,updated_at
1,"Ann, the ""first""",10.50,true,2024-01-31,2025-02-03 10:11:12
2,Bob,0.10,false,2024-02-01,2025-02-04 10:11:12
2,Robert,7,true,2024-02-01,2025-02-05 10:11:12
3,,,,,2025-02-06 10:11:12
`

// ownRow is a row of a Parquet file without a time.
type ownRow struct {
	Email string   `parquet:"email"`
	Score int64    `parquet:"score"`
	Tags  []string `parquet:"tags,list"`
}

// A CSV and a Parquet file of one's own go through the whole product: import, profiles,
// export, and the same with a runner. The output has no escape code, since it is no terminal.
func TestOwnData(t *testing.T) {
	t.Parallel()
	sandbox, provider := sandboxtest.Binary(t), providerBinary(t)
	var file bytes.Buffer
	if err := parquet.Write(&file, []ownRow{{"ann@example.com", 1, []string{"a"}}, {"bob@example.com", 2, nil}}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content string
		args    []string
		table   ownTable
		said    []string
		again   string
	}{
		"Orders 2025.csv": {ownCSV, nil, ownTable{"main", "own_data", "orders_2025", "updated_at"}, []string{
			"main.own_data.orders_2025 has 4 rows and 6 columns", "identifier        customer_id",
			"4 rows imported from", "3 profiles exported to main.own_data.lytics_user_everyone", "Robert",
		}, ""},
		"people.parquet": {file.String(), []string{"-identifier", "EMAIL"}, ownTable{"main", "own_data", "people_loaded", "loaded_at"}, []string{
			"main.own_data.people has 2 rows and 3 columns", "main.own_data.people_loaded is a copy with the time of now in loaded_at",
			"in the events, and not in the profiles: tags (array<string>)", "2 profiles exported", "bob@example.com",
		}, ` IDENTIFIER="EMAIL"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			data := filepath.Join(dir, name)
			if err := os.WriteFile(data, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			err := run(t.Context(), append([]string{"-sandbox", sandbox, "-provider", provider, "-examples", filepath.Join("..", "..", "examples"),
				"-dir", filepath.Join(dir, "demo"), "-listen", "127.0.0.1:0", "-data", data}, c.args...), &out)
			if err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			again := "make demo DATA=" + strconv.Quote(data) + c.again + " KEEP=1"
			for _, want := range append(c.said, "No changes", again, "Kept updated by a runner", "On your own workspace") {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the output does not say %q:\n%s", want, out.String())
				}
			}
			if strings.Contains(out.String(), "\x1b") {
				t.Errorf("the output has escape codes: %q", out.String())
			}
			text, err := os.ReadFile(filepath.Join(dir, "demo", "own-data", variablesFile))
			if err != nil {
				t.Fatal(err)
			}
			var v ownVariables
			if err := json.Unmarshal(text, &v); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.table, v.Table); d != "" {
				t.Errorf("the table of the variables (-want +got):\n%s", d)
			}
		})
	}
}

// What is wrong with DATA is said before a warehouse starts.
func TestWrongDataIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct{ file, want string }{
		"no file":        {filepath.Join(dir, "none.csv"), "cannot be read"},
		"a directory":    {dir, "is a directory"},
		"another format": {writeFile(t, dir, "rows.json"), "has another format: give a file whose name ends with .csv"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := run(t.Context(), []string{"-sandbox", "none", "-data", c.file}, &bytes.Buffer{})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "DATA="+c.file) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func writeFile(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// providerBinary returns LYTICS_PROVIDER_BINARY, or a new build.
func providerBinary(t *testing.T) string {
	t.Helper()
	if binary := os.Getenv("LYTICS_PROVIDER_BINARY"); binary != "" {
		return binary
	}
	binary := filepath.Join(t.TempDir(), "terraform-provider-lytics")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Dir, build.Env = filepath.Join("..", ".."), append(os.Environ(), "CGO_ENABLED=0")
	build.WaitDelay = time.Minute
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the provider: %v\n%s", err, text)
	}
	return binary
}
