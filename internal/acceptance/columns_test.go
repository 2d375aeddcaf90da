package acceptance

import (
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// checklist 12: a new column is in the events from then on, and no row is sent
// again. If the timestamp column is gone, the run fails before its first event.
func TestAddedAndRemovedColumns(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	table := people(t, s, db, 100)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", ""))
	w.apply()

	s.Exec(t, "ALTER TABLE "+table+" ADD COLUMN city STRING",
		"INSERT INTO "+table+" (id, email, ts, city) SELECT 100, 'new@example.com', max(ts) + INTERVAL 1 SECOND, 'Bonn' FROM "+table)
	if text, code := w.commandLine("run", "import"); code != 0 {
		t.Fatalf("the run after ADD COLUMN gave %d:\n%s", code, text)
	}
	events := w.events("s")
	wantEach(t, events, 101)
	if text := string(events[100].Data); !strings.Contains(text, `"Bonn"`) {
		t.Errorf("the new column is not in %s", text)
	}

	s.Exec(t, "CREATE OR REPLACE TABLE "+table+" AS SELECT id, email, ts AS changed_at, city FROM "+table)
	text, code := w.commandLine("run", "import")
	if code != 1 {
		t.Fatalf("the run without its column gave %d:\n%s", code, text)
	}
	wantError(t, text, `No column "ts"`, "changed_at")
	if n := len(w.events("s")); n != 101 {
		t.Errorf("%d events", n)
	}
	if run := w.runs()[0]; run.Status != jobs.StatusFailed || run.Failure.Attribute != "timestamp_column" {
		t.Errorf("the run is %+v", run)
	}
}
