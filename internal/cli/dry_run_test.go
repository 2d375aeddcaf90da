package cli_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// dryRunFake answers a dry run, and fails a test that starts a run.
type dryRunFake struct {
	fake
	d jobs.DryRun
}

func (p *dryRunFake) DryRun(_ context.Context, id string, _ int) (jobs.DryRun, error) {
	d := p.d
	d.JobID = id
	return d, nil
}

func TestDryRunPrintsATableOrJSON(t *testing.T) {
	t.Parallel()
	late := int64(3)
	to := started.Add(90)
	p := &dryRunFake{fake: fake{all: []jobs.Job{{ID: "job_1",
		JobSpec: jobs.JobSpec{Label: "customers", Import: &jobs.TableImport{}}}}}, d: jobs.DryRun{
		Label: "customers", Kind: jobs.KindTableImport,
		Reads: jobs.DryRunReads{Source: "main.sales.customers", Snapshot: "version 12", To: &to, Rows: 1200, RowsNull: 4, RowsFuture: 5,
			Late: &jobs.DryRunLate{From: &started, To: to, Against: "version 11", New: &late}},
		Writes:     jobs.DryRunWrites{Stream: "s", Rows: 1203},
		Statements: []string{"SELECT 1\nFROM a"}, Notes: []string{"4 rows without ts are left out."},
	}}
	code, out, errOut := runAPI(t, p, "run", "--dry-run", "customers")
	if code != 0 {
		t.Fatalf("code %d, %q", code, errOut)
	}
	for _, want := range []string{"job_1", "nothing was changed", "main.sales.customers, version " +
		"12", "the beginning to 2026-03-08 07:30:00", "1,200",
		"compared with version 11, 3 new rows", "1,203 at most", "SELECT 1\n  FROM a", "4 rows without ts"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	p.d.Kind, p.d.Writes = jobs.KindAudienceExport, jobs.DryRunWrites{Table: "main.sales.vip", Exists: true, Ours: true, InPlace: true,
		Columns: []jobs.DryRunColumn{{Name: "email", Type: "STRING"}}}
	if _, out, _ = runAPI(t, p, "run", "--dry-run", "customers"); !strings.Contains(out, "main.sales.vip, whose content is "+
		"replaced in place") ||
		!strings.Contains(out, "email STRING") {
		t.Errorf("an export's gave\n%s", out)
	}
	_, out, _ = runAPI(t, p, "run", "--dry-run", "job_1", "-json")
	var got jobs.DryRun
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.JobID != "job_1" || *got.Reads.Late.New != 3 {
		t.Fatalf("%v: %s", err, out)
	}
}
