package cli_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// quarantineFake has three rows in quarantine, one of which is not kept.
type quarantineFake struct {
	fake
	filter        jobs.QuarantineFilter
	sent, dropped []int64
}

func (f *quarantineFake) QuarantinedRows(_ context.Context, filter jobs.QuarantineFilter) (jobs.QuarantineList, error) {
	f.filter = filter
	at, last := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), time.Date(2024, 5, 6, 8, 0, 0, 0, time.UTC)
	entry := jobs.QuarantineEntry{JobID: "job_1", RunID: "run_1", EventID: "e1", EventTime: at, Events: 1, Rows: 1, Reason: "too large", Sendable: true, Key: `{"id":7}`}
	second, third := entry, entry
	entry.ID, second.ID, third.ID = 1, 2, 3
	third.Sendable, third.LastEventID, third.LastEventTime, third.Events, third.Rows = false, "e9", &last, 500, 3
	if filter.WithData {
		entry.Data = []byte(`{"name":"Ann"}`)
	}
	return jobs.QuarantineList{Entries: []jobs.QuarantineEntry{entry, second, third}, Total: 3, Rows: 5, RemovedOverLimit: 2}, nil
}

func (f *quarantineFake) ResendQuarantined(_ context.Context, _ string, ids []int64) (jobs.Resent, error) {
	f.sent = append(f.sent, ids...)
	return jobs.Resent{Accepted: int64(len(ids)) - 1, Rejected: 1}, nil
}

func (f *quarantineFake) DropQuarantined(_ context.Context, _ string, ids []int64) (int64, error) {
	f.dropped = append(f.dropped, ids...)
	return 3, nil
}

func TestQuarantineCommands(t *testing.T) {
	t.Parallel()
	f := &quarantineFake{fake: fake{all: []jobs.Job{{ID: "job_1", JobSpec: jobs.JobSpec{Label: "orders"}}}}}
	for _, c := range []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"list", "--job", "orders"}, 0, []string{`{"id":7}`, "too large", "3 of 500", "2024-05-06 07:08:09Z", "5 rejected rows are in quarantine", "2 were removed unsent"}},
		{[]string{"list", "--data"}, 0, []string{`{"name":"Ann"}`}},
		{[]string{"list", "--data", "--json"}, 0, []string{`"data":{"name":"Ann"}`}},
		{[]string{"list", "--limit", "0"}, 1, []string{"limit"}},
		{[]string{"resend"}, 1, []string{"--job"}},
		{[]string{"resend", "--job", "orders"}, 0, []string{"1 accepted", "1 rejected again", "1 cannot be sent again"}},
		{[]string{"resend", "--job", "orders", "--id", "x"}, 1, []string{`"x" is not the id`}},
		{[]string{"drop", "--job", "orders"}, 0, []string{"3 entries would be removed", "--yes"}},
		{[]string{"drop", "--job", "job_1", "--id", "2, 3", "--yes"}, 0, []string{"3 entries were removed"}},
		{[]string{"empty"}, 1, []string{"list, resend or drop"}},
	} {
		code, out, errOut := runAPI(t, f, append([]string{"quarantine"}, c.args...)...)
		for _, want := range c.says {
			if code != c.code || !strings.Contains(out+errOut, want) {
				t.Errorf("%v: got %d and %q, want %d and %q", c.args, code, out+errOut, c.code, want)
			}
		}
		if strings.Contains(out, "Ann") && !slices.Contains(c.args, "--data") {
			t.Errorf("%v prints the row", c.args)
		}
	}
	if !slices.Equal(f.sent, []int64{1, 2}) || !slices.Equal(f.dropped, []int64{2, 3}) {
		t.Errorf("sent %v and dropped %v, want 1 and 2, and 2 and 3", f.sent, f.dropped)
	}
}
