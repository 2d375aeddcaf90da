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

// suiteExplained are the known differences in the answers to the statements of the
// acceptance suite.
var suiteExplained = []explanation{
	{
		statement: regexp.MustCompile(`^DESCRIBE HISTORY `),
		columns:   []string{"timestamp", "userId", "userName", "operationParameters", "readVersion", "isolationLevel", "isBlindAppend", "operationMetrics", "userMetadata", "engineInfo"},
		reason:    "each engine has its own time, user and details of a commit; version and operation are the same",
	},
	{
		statement: regexp.MustCompile(`^SELECT unix_micros\(current_timestamp\(\)\), `),
		columns:   []string{"unix_micros(current_timestamp())", "max(CASE WHEN ((ts >= timestamp_micros(*"},
		reason:    "the engines execute it one after the other, so the current time differs, and with it the rows that are in the future",
	},
	{
		statement: regexp.MustCompile(`^DESCRIBE DETAIL `),
		columns:   []string{"id", "location", "createdAt", "lastModified", "sizeInBytes"},
		reason:    "each engine has its own id, location, times and file sizes of a table; format, features and properties are the same",
	},
	{
		statement:           regexp.MustCompile(`^SELECT schema_name, comment FROM .main.\.information_schema\.schemata`),
		columns:             []string{"schema_name", "comment"},
		reason:              "tests that run at the same time create schemas between the first engine's answer and the second's",
		dependsOnNeighbours: true,
	},
	{
		statement: regexp.MustCompile(`^SELECT catalog_name, comment FROM system\.information_schema\.catalogs`),
		columns:   []string{"comment"},
		reason:    "Spark keeps no comments of catalogs",
	},
	{
		statement: regexp.MustCompile("(?s)^SELECT .*`address`.* FROM `main`.`sales`.`customers`"),
		columns:   []string{"lytics_digest", "lytics_row"},
		reason:    "Delta stores a NULL struct of the example data as a struct of NULLs, so the digest differs",
	},
}

// explanation defines which columns of which statements may differ, and why.
type explanation struct {
	statement *regexp.Regexp
	// columns are names of columns; a name that ends in * is a prefix.
	columns []string
	reason  string
	// dependsOnNeighbours marks a difference that other tests cause by running at the
	// same time. It may be absent, and the number of rows may differ too; the Finding
	// then names no column.
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

// unexplained returns the problems in the findings: differences without an explanation,
// and explanations without a difference.
func unexplained(findings []differential.Finding, explained []explanation) (problems []string) {
	used := make([]bool, len(explained))
	for _, f := range findings {
		if f.Difference == "" {
			continue
		}
		i := slices.IndexFunc(explained, func(e explanation) bool { return e.covers(&f) })
		if i < 0 {
			problems = append(problems, fmt.Sprintf("%s %v\n%s\nSpark\n%s\nDuckDB\n%s", f.Difference, f.Differing, f.Statement, f.First, f.Second))
			continue
		}
		used[i] = true
	}
	for i, e := range explained {
		if !used[i] && !e.dependsOnNeighbours {
			problems = append(problems, "no statement differs for this reason any more; remove it: "+e.reason)
		}
	}
	return problems
}

// suiteMinimum is the least number of statements that the acceptance suite sends.
const suiteMinimum = 300

// Spark and DuckDB answer the statements of the acceptance suite alike. Both received
// them in the same sessions, with tables created by the same statements.
func TestBothEnginesAnswerTheAcceptanceSuiteAlike(t *testing.T) {
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
		if f.Difference == "" {
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

func TestOnlyDifferencesByNeighboursMayBeAbsent(t *testing.T) {
	t.Parallel()
	explained := []explanation{
		{statement: regexp.MustCompile("^DESCRIBE"), columns: []string{"id", "made*"}, reason: "identity"},
		{statement: regexp.MustCompile("^SHOW"), columns: []string{"name"}, reason: "neighbours", dependsOnNeighbours: true},
	}
	describe := differential.Finding{Statement: "DESCRIBE t", Difference: "rows differ", Differing: []string{"id", "made_at"}}
	for name, c := range map[string]struct {
		findings []differential.Finding
		problems int
	}{
		"both differ":                {[]differential.Finding{describe, {Statement: "SHOW x", Difference: "1 rows and 2 rows"}}, 0},
		"neighbours did nothing":     {[]differential.Finding{describe, {Statement: "SHOW x"}}, 0},
		"nothing differs":            {[]differential.Finding{{Statement: "DESCRIBE t"}}, 1},
		"another column differs":     {[]differential.Finding{describe, {Statement: "SHOW x", Difference: "rows differ", Differing: []string{"owner"}}}, 1},
		"the number of rows differs": {[]differential.Finding{describe, {Statement: "DESCRIBE t", Difference: "1 rows and 2 rows"}}, 1},
	} {
		if problems := unexplained(c.findings, explained); len(problems) != c.problems {
			t.Errorf("%s: got %q, want %d problems", name, problems, c.problems)
		}
	}
}

// suiteList returns the part of EXPLAINED.md about the acceptance suite.
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
