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

// suiteExplained are the differences in what the acceptance suite sends: which
// columns of which statements may differ, and why. A column that ends in * is
// any that begins so.
var suiteExplained = []explanation{
	{
		regexp.MustCompile(`^DESCRIBE HISTORY `),
		[]string{"timestamp", "userId", "userName", "operationParameters", "readVersion", "isolationLevel", "isBlindAppend", "operationMetrics", "userMetadata", "engineInfo"},
		"when and by whom a commit was made, and what an engine notes about it, is the engine's; version and operation are the same",
	},
	{
		regexp.MustCompile(`^SELECT unix_micros\(current_timestamp\(\)\), `),
		[]string{"unix_micros(current_timestamp())", "max(CASE WHEN ((ts >= timestamp_micros(*"},
		"the clock: one engine executes it after the other, and rows of the future were inserted by it",
	},
	{
		regexp.MustCompile(`^DESCRIBE DETAIL `),
		[]string{"id", "location", "createdAt", "lastModified", "sizeInBytes"},
		"a table's identity, place and age, and the size of its files, are the engine's; format, features and properties are the same",
	},
	{
		regexp.MustCompile(`^SELECT schema_name, comment FROM .main.\.information_schema\.schemata`),
		[]string{"schema_name", "comment"},
		"tests beside this one make databases between the one engine's turn and the other's",
	},
	{
		regexp.MustCompile("(?s)^SELECT .*`address`.* FROM `main`.`sales`.`customers`"),
		[]string{"lytics_digest", "lytics_row"},
		"Delta stores a NULL struct of the example data as a struct of NULLs, and with it the digest differs",
	},
}

type explanation struct {
	statement *regexp.Regexp
	columns   []string
	reason    string
}

func (e explanation) covers(f *differential.Finding) bool {
	other := func(column string) bool {
		return !slices.ContainsFunc(e.columns, func(c string) bool {
			beginning, open := strings.CutSuffix(c, "*")
			return c == column || open && strings.HasPrefix(column, beginning)
		})
	}
	// Where the numbers of rows differ, no column is named: that is explained
	// only of lists that grow meanwhile.
	named := len(f.Differing) > 0 || strings.Contains(e.statement.String(), "information_schema")
	return e.statement.MatchString(f.Statement) && named && !slices.ContainsFunc(f.Differing, other)
}

// suiteMinimum is how many statements the acceptance suite sends at least.
const suiteMinimum = 300

// What the acceptance suite sent to Spark was sent to DuckDB's engine too, in
// the same sessions and on tables that the same statements made: the answers
// are the same, or explained.
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
	total, alike, used := 0, 0, make([]int, len(suiteExplained))
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<28)
	for lines.Scan() {
		var f differential.Finding
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		total++
		if f.What == "" {
			alike++
			continue
		}
		i := slices.IndexFunc(suiteExplained, func(e explanation) bool { return e.covers(&f) })
		if i < 0 {
			t.Errorf("%s %v\n%s\nSpark\n%s\nDuckDB\n%s", f.What, f.Differing, f.Statement, f.First, f.Second)
			continue
		}
		used[i]++
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if total < suiteMinimum {
		t.Errorf("%d statements; the suite sends %d and more", total, suiteMinimum)
	}
	for i, n := range used {
		if n == 0 {
			t.Errorf("no statement differs as this says any more: take it away: %s", suiteExplained[i].reason)
		}
	}
	t.Logf("%d statements of the acceptance suite alike, %d differ for a reason", alike, total-alike)
}

// suiteList is their part of the list of explained differences.
func suiteList() string {
	out := "\n## The acceptance suite's statements\n\n"
	for _, e := range suiteExplained {
		out += fmt.Sprintf("- `%s`, the columns %s: %s\n", strings.ReplaceAll(e.statement.String(), "`", "'"), quoted(e.columns), e.reason)
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
