package worker_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// checklist 73: of 50 runs on one runner, 20 meet malformed answers. The other 30 succeed,
// exactly. The warehouse changes bytes of every answer to the 20, in three ways; the third
// may change no more than values, with which a run can succeed. Beside them are runs whose workers die or panic in any case, as with an answer that no check
// finds.
func TestMalformedAnswersFailTheirRunsOnly(t *testing.T) {
	t.Parallel()
	const rows, good, bad, fatal = 500, 30, 20, 4
	warehouse := sandboxtest.Start(t)
	names := func(kind string, n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("%s_%02d", kind, i))
		}
		return all
	}
	tables := map[string][]string{
		"good": names("good", good), "bad": names("bad", bad), "crash": names("crash", fatal), "panic": names("panic", fatal),
	}
	statements := []string{"CREATE SCHEMA main.sales"}
	for _, names := range tables {
		for _, name := range names {
			statements = append(statements, "CREATE TABLE main.sales."+name+" (id BIGINT, name STRING, ts TIMESTAMP)",
				fmt.Sprintf("INSERT INTO main.sales.%s SELECT id, concat('n', id), timestamp_micros(1700000000000000 + id DIV 7) FROM range(%d)", name, rows))
		}
	}
	warehouse.Exec(t, statements...)
	forms := []string{"truncated", "types", "any"}
	form := map[string]string{}
	for i, name := range tables["bad"] {
		form[name] = forms[i%len(forms)]
		warehouse.SetFault(t, sandboxtest.Fault{
			Kind: "mutate", On: "*", Match: name, Times: -1, Seed: int64(i + 1), Form: form[name]})
	}
	f := newFixture(t, warehouse)
	runs := map[string]string{}
	for i := range good { // side by side
		for _, kind := range []string{"good", "bad", "crash", "panic"} {
			if i < len(tables[kind]) {
				runs[tables[kind][i]] = f.start(tables[kind][i]).ID
			}
		}
	}
	outcomes := map[string]int{}
	for name, id := range runs {
		run := f.ended(id)
		kind, _, _ := strings.Cut(name, "_")
		outcomes[fmt.Sprintf("%s %s in attempt %d", kind, run.Status, run.Attempt)]++
		switch {
		case kind == "good" && (run.Status != jobs.StatusSucceeded || run.Attempt != 1 || run.RowsRead != rows || run.RowsWritten != rows):
			t.Errorf("%s: %+v\n%s", name, run, f.log(id))
		case kind == "bad" && form[name] != "any" && run.Status != jobs.StatusFailed:
			t.Errorf("%s, whose answers were all malformed (%s): %+v\n%s", name, form[name], run, f.log(id))
		case kind == "crash" && (run.Status != jobs.StatusFailed || run.Attempt != 2 || !strings.Contains(run.Failure.String(), "slice bounds out of range")),
			kind == "panic" && (run.Status != jobs.StatusFailed || run.Attempt != 1 || !strings.Contains(run.Failure.String(), "slice bounds out of range")):
			t.Errorf("%s: %+v\n%s", name, run, f.log(id))
		}
	}
	for _, name := range tables["good"] {
		f.wantRows(name, rows)
	}
	t.Logf("%d workers; %v", f.pool.Started(), outcomes)
}
