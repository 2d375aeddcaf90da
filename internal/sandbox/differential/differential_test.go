package differential_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/differential"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/process"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/sparkdist"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

var update = flag.Bool("update", false, "write the list of explained differences")

// minStatements is the least number of statements in testdata.
const minStatements = 600

// shared is one Spark for all tests. Each test opens its own engine on it.
var shared struct {
	once   sync.Once
	server *process.Server
	dir    string
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "ending Spark:", err)
			code = 1
		}
	}
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// sparkURL returns the URL of LYTICS_SPARK_URL, or of the shared Spark. Without an
// installed Spark it skips the test; with LYTICS_TEST_REQUIRE_SPARK the test fails.
func sparkURL(t *testing.T) string {
	t.Helper()
	if url := os.Getenv("LYTICS_SPARK_URL"); url != "" {
		return url
	}
	dir, err := filepath.Abs(os.Getenv("LYTICS_SPARK_HOME")) // make test-spark sets it
	if err != nil {
		t.Fatal(err)
	}
	err = sparkdist.Installation{Dir: dir}.Check()
	if err == nil {
		_, err = sparkdist.JavaPath(t.Context())
	}
	switch {
	case err == nil:
	case os.Getenv("LYTICS_TEST_REQUIRE_SPARK") != "":
		t.Fatal(err)
	default:
		t.Skipf("LEFT OUT: DuckDB's answers are not compared with Spark's: %v", err)
	}
	shared.once.Do(func() { startShared(dir) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server.URL
}

// startShared starts the shared Spark in a directory that outlives each test.
func startShared(dir string) {
	if shared.dir, shared.err = os.MkdirTemp("", "sandbox-differential"); shared.err != nil {
		return
	}
	shared.server, shared.err = process.Serve(context.Background(), process.Options{Home: sparkdist.Installation{Dir: dir}, DataDir: shared.dir}, spark.StartTimeout)
}

func openSpark(t *testing.T) *spark.Engine {
	t.Helper()
	e, err := spark.Open(t.Context(), spark.Options{DataDir: t.TempDir(), URL: sparkURL(t), Discard: true, Objects: objects(files())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close Spark: %v", err)
		}
	})
	return e
}

func openDuck(t *testing.T) *duck.Engine {
	t.Helper()
	e, err := duck.Open(t.Context(), duck.Options{Objects: objects(files())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close DuckDB: %v", err)
		}
	})
	return e
}

func scripts(t *testing.T) []*differential.Script {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	var out []*differential.Script
	total := 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := differential.ParseScript(strings.TrimSuffix(filepath.Base(path), ".sql"), string(text))
		if err != nil {
			t.Fatal(err)
		}
		total += len(s.Cases)
		out = append(out, s)
	}
	if total < minStatements {
		t.Errorf("got %d statements in testdata, want at least %d", total, minStatements)
	}
	return out
}

// counts counts the statements of all scripts by their outcome.
type counts struct {
	mu                                   sync.Mutex
	same, refused, explained, unexpected int
}

// Both engines answer each statement with the same columns, types, rows, error classes
// and SQLSTATEs, unless the script gives a reason.
func TestBothEnginesAnswerAlike(t *testing.T) {
	t.Parallel()
	all := scripts(t)
	first, second := openDuck(t), openSpark(t)
	var n counts
	t.Run("scripts", func(t *testing.T) {
		for _, s := range all {
			t.Run(s.Name, func(t *testing.T) {
				t.Parallel()
				run(t, s, first, second, &n)
			})
		}
	})
	t.Logf("%d statements alike, %d refused by the DuckDB engine, %d differ with a reason, %d differ without", n.same, n.refused, n.explained, n.unexpected)
}

func run(t *testing.T, s *differential.Script, first, second warehouse.Engine, n *counts) {
	t.Helper()
	one, two := session(t, first, s), session(t, second, s)
	for _, c := range s.Cases {
		a := differential.Run(t.Context(), one, c.Statement, nil)
		b := differential.Run(t.Context(), two, c.Statement, nil)
		difference := c.Rules().Difference(&a, &b)
		n.mu.Lock()
		switch {
		case difference == "" && c.Differs != "":
			n.unexpected++
			t.Errorf("testdata/%s.sql:%d: the engines agree now; remove the reason: %s", s.Name, c.Line, c.Differs)
		case c.Refused != (difference != "" && differential.Refused(&a, &b)):
			n.unexpected++
			t.Errorf("testdata/%s.sql:%d: refused by the first engine: %v, want %v\n%s\n%s", s.Name, c.Line, !c.Refused, c.Refused, c.Statement, differential.FormatBoth(&a, &b))
		case difference == "":
			n.same++
		case c.Differs != "":
			n.explained++
		case c.Refused:
			n.refused++
		default:
			n.unexpected++
			t.Errorf("testdata/%s.sql:%d: %s\n%s\n%s", s.Name, c.Line, difference, c.Statement, differential.FormatBoth(&a, &b))
		}
		n.mu.Unlock()
	}
}

// session opens a session in a new schema of the script's name.
func session(t *testing.T, e warehouse.Engine, s *differential.Script) warehouse.Session {
	t.Helper()
	out, err := e.OpenSession(t.Context(), warehouse.SessionOptions{Conf: s.Conf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	for _, statement := range []string{"CREATE SCHEMA main." + s.Name, "USE main." + s.Name} {
		if o := differential.Run(t.Context(), out, statement, nil); o.Message != "" {
			t.Fatalf("%s: %s", statement, o.Message)
		}
	}
	return out
}

// explanations is the list to which the sandbox's README refers.
const explanations = "EXPLAINED.md"

// The list contains every difference that the scripts explain.
func TestExplainedDifferencesAreListed(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# Where the two engines differ, and why\n\nWritten by `go test ./differential -run Explained -update` from the reasons in `testdata`; the differential test fails if one of them no longer occurs. \"Refused\" means that the DuckDB engine refuses the statement as unsupported, and Spark executes it.\n")
	for _, s := range scripts(t) {
		headed := false
		for _, c := range s.Cases {
			reason := c.Differs
			if c.Refused {
				reason = "refused"
			}
			if reason == "" {
				continue
			}
			if !headed {
				fmt.Fprintf(&b, "\n## %s\n\n", s.Name)
				headed = true
			}
			fmt.Fprintf(&b, "- `%s`: %s\n", strings.ReplaceAll(strings.Join(strings.Fields(c.Statement), " "), "`", "'"), reason)
		}
	}
	b.WriteString(suiteList())
	if *update {
		if err := os.WriteFile(explanations, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(explanations)
	if err != nil || string(text) != b.String() {
		t.Errorf("%s does not match testdata (%v): run go test ./differential -run Explained -update", explanations, err)
	}
}

// A pair returns the first engine's answers and reports every difference.
func TestPairReportsDifferences(t *testing.T) {
	t.Parallel()
	// Two engines of the same kind, with different tables.
	first, second := openDuck(t), openDuck(t)
	ctx := t.Context()
	s, err := second.OpenSession(ctx, warehouse.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if o := differential.Run(ctx, s, "CREATE TABLE t AS SELECT 2 AS a", nil); o.Message != "" {
		t.Fatal(o.Message)
	}
	var found []differential.Finding
	pair := differential.NewPair(first, second, func(f differential.Finding) { found = append(found, f) })
	both, err := pair.OpenSession(ctx, warehouse.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"SELECT 1", "SELECT * FROM t", "CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS a", "SELECT a FROM t"} {
		o := differential.Run(ctx, both, statement, nil)
		if statement == "SELECT a FROM t" && (len(o.Rows) != 1 || o.Rows[0] != "1") {
			t.Errorf("the answer is not the first engine's: %v", o.Rows)
		}
	}
	var statements []string
	for _, f := range found {
		if f.Difference != "" {
			statements = append(statements, f.Statement)
		}
	}
	if len(found) != 4 || strings.Join(statements, "; ") != "SELECT * FROM t; CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS a; SELECT a FROM t" {
		t.Errorf("found %q", statements)
	}
	if err := errors.Join(both.Close(), s.Close()); err != nil {
		t.Error(err)
	}
}

func TestScriptDirectivesAreParsed(t *testing.T) {
	t.Parallel()
	s, err := differential.ParseScript("x", "-- session: A=b\nSELECT 1\n\n-- unordered\n-- differs: because\nSELECT 2\n-- in it\n\n")
	if err != nil || s.Conf["A"] != "b" || len(s.Cases) != 2 || s.Cases[1].Line != 4 || !s.Cases[1].Unordered || s.Cases[1].Differs != "because" || s.Cases[1].Statement != "SELECT 2\n-- in it" {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := differential.ParseScript("x", "-- differs:\nSELECT 1"); err == nil {
		t.Error("got no error for a difference without a reason")
	}
}
