package differential_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/differential"
)

// suiteExplained are the known differences in the answers to the acceptance
// suite's statements.
var suiteExplained = []explanation{
	{
		statement: regexp.MustCompile(`^DESCRIBE HISTORY `),
		columns:   []string{"timestamp", "userId", "userName", "operationParameters", "readVersion", "isolationLevel", "isBlindAppend", "operationMetrics", "userMetadata", "engineInfo"},
		reason:    "when and by whom a commit was made, and what an engine notes about it, is the engine's; version and operation are the same",
	},
	{
		statement: regexp.MustCompile(`^SELECT unix_micros\(current_timestamp\(\)\), `),
		columns:   []string{"unix_micros(current_timestamp())", "max(CASE WHEN ((ts >= timestamp_micros(*"},
		reason:    "the clock: one engine executes it after the other, and rows of the future were inserted by it",
	},
	{
		statement: regexp.MustCompile(`^DESCRIBE DETAIL `),
		columns:   []string{"id", "location", "createdAt", "lastModified", "sizeInBytes"},
		reason:    "a table's identity, place and age, and the size of its files, are the engine's; format, features and properties are the same",
	},
	{
		statement:           regexp.MustCompile(`^SELECT schema_name, comment FROM .main.\.information_schema\.schemata`),
		columns:             []string{"schema_name", "comment"},
		reason:              "tests that run at the same time make databases between the first engine's answer and the second's",
		dependsOnNeighbours: true,
	},
	{
		statement: regexp.MustCompile("(?s)^SELECT .*`address`.* FROM `main`.`sales`.`customers`"),
		columns:   []string{"lytics_digest", "lytics_row"},
		reason:    "Delta stores a NULL struct of the example data as a struct of NULLs, and with it the digest differs",
	},
}

// explanation says which columns of which statements may differ, and why.
type explanation struct {
	statement *regexp.Regexp
	// columns are names; one that ends in * is any that begins so.
	columns []string
	reason  string
	// dependsOnNeighbours is for a difference that tests running at the same time
	// cause: it may be absent, and the number of rows may differ too, in which
	// case a Finding names no column.
	dependsOnNeighbours bool
}

func (e explanation) covers(f *differential.Finding) bool {
	other := func(column string) bool {
		return !slices.ContainsFunc(e.columns, func(c string) bool {
			beginning, open := strings.CutSuffix(c, "*")
			return c == column || open && strings.HasPrefix(column, beginning)
		})
	}
	return e.statement.MatchString(f.Statement) && (len(f.Differing) > 0 || e.dependsOnNeighbours) && !slices.ContainsFunc(f.Differing, other)
}

// unexplained returns what is wrong with the findings: differences without an
// explanation, and explanations of what did not differ.
func unexplained(findings []differential.Finding, explained []explanation) (problems []string) {
	used := make([]bool, len(explained))
	for _, f := range findings {
		if f.What == "" {
			continue
		}
		i := slices.IndexFunc(explained, func(e explanation) bool { return e.covers(&f) })
		if i < 0 {
			problems = append(problems, fmt.Sprintf("%s %v\n%s\nSpark\n%s\nDuckDB\n%s", f.What, f.Differing, f.Statement, f.First, f.Second))
			continue
		}
		used[i] = true
	}
	for i, e := range explained {
		if !used[i] && !e.dependsOnNeighbours {
			problems = append(problems, "no statement differs any more for this reason, remove it: "+e.reason)
		}
	}
	return problems
}

// suiteMinimum is the least number of statements that the acceptance suite sends.
const suiteMinimum = 300

// The acceptance suite's statements went to Spark and to the DuckDB engine, in
// the same sessions and on tables that the same statements made.
func TestTheAcceptanceSuitesStatementsAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	path := os.Getenv("LYTICS_SANDBOX_COMPARE")
	if path == "" {
		t.Skip("LEFT OUT: LYTICS_SANDBOX_COMPARE names no comparison of an acceptance run; make test-spark makes one")
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var findings []differential.Finding
	alike := 0
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<28)
	for lines.Scan() {
		var f differential.Finding
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		findings = append(findings, f)
		if f.What == "" {
			alike++
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(findings) < suiteMinimum {
		t.Errorf("got %d statements, want at least %d", len(findings), suiteMinimum)
	}
	for _, problem := range unexplained(findings, suiteExplained) {
		t.Error(problem)
	}
	t.Logf("%d statements of the acceptance suite alike, %d differ", alike, len(findings)-alike)
}

func TestOnlyADifferenceThatNeighboursCauseMayBeAbsent(t *testing.T) {
	t.Parallel()
	explained := []explanation{
		{statement: regexp.MustCompile("^DESCRIBE"), columns: []string{"id", "made*"}, reason: "identity"},
		{statement: regexp.MustCompile("^SHOW"), columns: []string{"name"}, reason: "neighbours", dependsOnNeighbours: true},
	}
	describe := differential.Finding{Statement: "DESCRIBE t", What: "rows differ", Differing: []string{"id", "made_at"}}
	for name, c := range map[string]struct {
		findings []differential.Finding
		problems int
	}{
		"both differ":                {[]differential.Finding{describe, {Statement: "SHOW x", What: "1 rows and 2 rows"}}, 0},
		"neighbours did nothing":     {[]differential.Finding{describe, {Statement: "SHOW x"}}, 0},
		"nothing differs":            {[]differential.Finding{{Statement: "DESCRIBE t"}}, 1},
		"another column differs":     {[]differential.Finding{describe, {Statement: "SHOW x", What: "rows differ", Differing: []string{"owner"}}}, 1},
		"the number of rows differs": {[]differential.Finding{describe, {Statement: "DESCRIBE t", What: "1 rows and 2 rows"}}, 1},
	} {
		if problems := unexplained(c.findings, explained); len(problems) != c.problems {
			t.Errorf("%s: got %q, want %d problems", name, problems, c.problems)
		}
	}
}

// suiteList is the acceptance suite's part of EXPLAINED.md.
func suiteList() string {
	out := "\n## The acceptance suite's statements\n\n"
	for _, e := range suiteExplained {
		absent := ""
		if e.dependsOnNeighbours {
			absent = " (may be absent)"
		}
		out += fmt.Sprintf("- `%s`, the columns %s: %s%s\n", strings.ReplaceAll(e.statement.String(), "`", "'"), quoted(e.columns), e.reason, absent)
	}
	return out
}

func quoted(names []string) (out string) {
	for i, n := range names {
		if i > 0 {
			out += ", "
		}
		out += "`" + n + "`"
	}
	return out
}
