package jobs_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func TestADefinitionIsReadWithSecondsOrNanoseconds(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for text, want := range map[string]jobs.JobSpec{
		`{"label": "a", "query_timeout_ns": 60000000000, "import": {"table": "t", "lookback_ns": 86400000000000}}`: {
			Label: "a", QueryTimeout: time.Minute, Import: &jobs.TableImport{Table: "t", Lookback: &day}},
		`{"label": "a", "query_timeout_seconds": 60, "import": {"table": "t", "lookback_seconds": 86400}}`: {
			Label: "a", QueryTimeout: time.Minute, Import: &jobs.TableImport{Table: "t", Lookback: &day}},
		`{"query_timeout_seconds": 60, "query_timeout_ns": 7, "import": {"lookback_seconds": 0, "lookback_ns": 7}}`: {
			QueryTimeout: time.Minute, Import: &jobs.TableImport{Lookback: new(time.Duration)}},
		`{"import": {}}`: {Import: &jobs.TableImport{}},
	} {
		var got jobs.JobSpec
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", text, diff)
		}
	}
	for _, text := range []string{
		`{"query_timeout_seconds": -1}`, `{"query_timeout_seconds": 9223372037}`, `{"import": {"lookback_seconds": -1}}`,
	} {
		if err := json.Unmarshal([]byte(text), &jobs.JobSpec{}); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

func TestAJobIsWrittenWithSecondsForEveryClient(t *testing.T) {
	t.Parallel()
	lookback := 90 * time.Second
	at := time.Date(2026, 11, 30, 1, 2, 3, 0, time.UTC)
	want := jobs.Job{ID: "job_1", Paused: true, NextRunAt: &at, CreatedAt: at, UpdatedAt: at, LastRun: &jobs.Run{ID: "run_1", CreatedAt: at},
		Lytics: &jobs.LyticsState{}, JobSpec: jobs.JobSpec{Label: "a", AuthorizationID: "auth_1", QueryTimeout: time.Hour, After: []string{"job_2"},
			Import: &jobs.TableImport{Table: "t", Lookback: &lookback}}}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	type durations struct {
		Timeout   int64 `json:"query_timeout_seconds"`
		TimeoutNS int64 `json:"query_timeout_ns"`
		Import    struct {
			Table      string `json:"table"`
			Lookback   int64  `json:"lookback_seconds"`
			LookbackNS int64  `json:"lookback_ns"`
		} `json:"import"`
	}
	var wire, wanted durations
	wanted.Timeout, wanted.TimeoutNS = 3600, 3600e9
	wanted.Import.Table, wanted.Import.Lookback, wanted.Import.LookbackNS = "t", 90, 90e9
	if err := json.Unmarshal(text, &wire); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, wire); diff != "" {
		t.Errorf("on the wire, want -, got +:\n%s", diff)
	}
	var got jobs.Job
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back, want -, got +:\n%s", diff)
	}
}

// A runner of an earlier release refuses a property that it does not know.
func TestADefinitionIsSentInTheFormOfEarlierReleases(t *testing.T) {
	t.Parallel()
	lookback := time.Minute
	text, err := json.Marshal(jobs.JobSpec{QueryTimeout: time.Minute, Import: &jobs.TableImport{Lookback: &lookback}})
	if err != nil {
		t.Fatal(err)
	}
	var sent struct {
		Timeout        *int64 `json:"query_timeout_ns"`
		TimeoutSeconds *int64 `json:"query_timeout_seconds"`
		Import         map[string]any
	}
	if err := json.Unmarshal(text, &sent); err != nil {
		t.Fatal(err)
	}
	if sent.Timeout == nil || sent.TimeoutSeconds != nil || sent.Import["lookback_ns"] == nil || sent.Import["lookback_seconds"] != nil {
		t.Errorf("sent was %s", text)
	}
}
