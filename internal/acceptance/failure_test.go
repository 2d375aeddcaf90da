package acceptance

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// checklist 26 44: the warehouse is killed during an import and starts again at
// another address.
func TestWarehouseKilledDuringAnImport(t *testing.T) {
	t.Parallel()
	const rows = 60_000
	s := sandboxtest.Start(t, sandboxtest.WithArgs("-data", t.TempDir()))
	s.Exec(t, "CREATE SCHEMA main.t")
	people(t, s, "t", rows)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL("t", "people", ""))
	// The import does not end before the kill.
	s.SetFault(t, secondPageHeld)
	killed, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(killed)
		if w.waitForCommit(ended) {
			s.Kill()
		}
	}()
	text, code := w.tryApply()
	close(ended)
	<-killed
	if code != 1 {
		t.Fatalf("apply gave %d, want 1:\n%s", code, text)
	}
	wantError(t, text, "lytics_databricks_table_import.i", s.Host)
	// The events of a fleet are in the sandbox's bucket, which was killed too.
	if deployment() != fleet {
		if got := len(w.events("s")); got == 0 || got >= rows {
			t.Fatalf("%d events before the kill, want more than none and fewer than all", got)
		}
	}
	s.Restart(t)
	w.reach(s)
	w.apply()
	wantEach(t, w.events("s"), rows)
	w.wantNoChanges()
}

// Spark is killed during an import, while the sandbox continues. The apply
// fails with an error that names the host, or succeeds; the next apply loses
// and duplicates no row.
func TestSparkKilledDuringAnImport(t *testing.T) {
	t.Parallel()
	if !sandboxtest.Spark() {
		t.Skip("LEFT OUT: needs a real Spark; make test-spark runs it")
	}
	const rows = 60_000
	s := sandboxtest.Start(t, sandboxtest.WithOwnSpark())
	s.Exec(t, "CREATE SCHEMA main.t")
	people(t, s, "t", rows)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL("t", "people", ""))
	s.SetFault(t, secondPageHeld)
	killed, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(killed)
		if w.waitForCommit(ended) {
			s.KillSpark(t)
			s.ClearFaults(t)
		}
	}()
	text, code := w.tryApply()
	close(ended)
	<-killed
	if code != 0 {
		wantError(t, text, "lytics_databricks_table_import.i", strings.TrimPrefix(s.Host, "http://"))
		w.apply() // waits until Spark has started again, as for a starting warehouse
	}
	wantEach(t, w.events("s"), rows)
	w.wantNoChanges()
}

// checklist 26 50: the error of each mistake names the attribute, the cause and
// the next step, and the corrected configuration applies.
func TestMistakesAreNamedAndCanBeCorrected(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	good := authorizationHCL
	for name, mistake := range map[string]struct {
		hcl  func(db string) string
		env  map[string]string
		want []string
	}{
		"a wrong token": {
			env:  map[string]string{"TF_VAR_token": "dapi-wrong"},
			want: []string{"lytics_databricks_authorization.w", "token"},
		},
		"a host that does not resolve": {
			env:  map[string]string{"TF_VAR_host": "http://no-such-host.invalid"},
			want: []string{"lytics_databricks_authorization.w", "host", "no-such-host.invalid"},
		},
		"a port without a listener": {
			env:  map[string]string{"TF_VAR_port": "1"},
			want: []string{"lytics_databricks_authorization.w", "host"},
		},
		"an unknown catalog": {
			hcl: func(db string) string {
				return strings.Replace(importHCL(db, "people", ""), `"main"`, `"nowhere"`, 1)
			},
			want: []string{"lytics_databricks_table_import.i", "catalog", "nowhere"},
		},
		"an unknown database": {
			hcl:  func(string) string { return importHCL("nowhere", "people", "") },
			want: []string{"lytics_databricks_table_import.i", "database", "nowhere"},
		},
		"an unknown table": {
			hcl:  func(db string) string { return importHCL(db, "nobody", "") },
			want: []string{"lytics_databricks_table_import.i", "table", "nobody"},
		},
		"a wrong column": {
			hcl: func(db string) string {
				return strings.Replace(importHCL(db, "people", ""), `"ts"`, `"changed_at"`, 1)
			},
			want: []string{"timestamp_column", "changed_at", "Columns that can serve: ts"},
		},
		"a column that is not a timestamp": {
			hcl: func(db string) string {
				return strings.Replace(importHCL(db, "people", ""), `"ts"`, `"email"`, 1)
			},
			want: []string{"timestamp_column", "email", "STRING"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := database(t, s)
			people(t, s, db, 100)
			right := providerHCL + good + importHCL(db, "people", "")
			w := newWorkspace(t, s, right)
			if mistake.hcl != nil {
				w.file("main.tf", providerHCL+good+mistake.hcl(db))
			}
			for k, v := range mistake.env {
				w.env[k] = v
			}
			text, code := w.tryApply()
			if code != 1 {
				t.Fatalf("apply gave %d, want 1:\n%s", code, text)
			}
			wantError(t, text, mistake.want...)
			w.file("main.tf", right)
			w.reach(s)
			w.apply()
			wantEach(t, w.events("s"), 100)
			w.wantNoChanges()
		})
	}
}

// checklist 21: the run waits for a warehouse that is starting, and its status
// says so.
func TestRunWaitsForAStartingWarehouse(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 10)
	s.SetFault(t, sandboxtest.Fault{Kind: "cold_start", Seconds: 4, Form: "reject"})
	// With the connection check, the authorization would wait instead of the run.
	authorization := strings.Replace(authorizationHCL, "  token_wo ", "  check_connection = false\n  token_wo ", 1)
	w := newWorkspace(t, s, providerHCL+authorization+importHCL(db, "people", ""))
	done, waited := make(chan struct{}), make(chan bool, 1)
	go func() {
		for waiting := false; ; {
			select {
			case <-done:
				waited <- waiting
				return
			case <-time.After(50 * time.Millisecond):
			}
			api, err := w.open()
			if err != nil {
				continue // there is no store yet
			}
			runs, err := api.ListRuns(t.Context(), jobs.RunFilter{})
			waiting = waiting || err == nil && len(runs) > 0 && runs[0].Status == jobs.StatusWaiting
			_ = api.Close()
		}
	}()
	text, code := w.tryApply()
	close(done)
	if saidSo := <-waited; code != 0 || !saidSo {
		t.Fatalf("apply gave %d, the run said that it waits: %t\n%s", code, saidSo, text)
	}
	wantEach(t, w.events("s"), 10)
}

// checklist 20 22 23 24: faults of the network and of the warehouse lose and
// duplicate no row.
func TestFaultsLoseAndDuplicateNoRows(t *testing.T) {
	t.Parallel()
	const rows = 30_000
	for name, fault := range map[string]sandboxtest.Fault{
		"429 with Retry-After":           {Kind: "too_many_requests", On: "ExecuteStatement", Match: "lytics_digest", RetryAfter: 1},
		"503 before the statement":       {Kind: "unavailable", On: "ExecuteStatement", Match: "lytics_digest", Form: "before"},
		"503 after the statement":        {Kind: "unavailable", On: "ExecuteStatement", Match: "lytics_digest", Form: "after"},
		"a session lost, as exception":   {Kind: "session_expired", On: "FetchResults", Match: "lytics_digest", After: 1, Form: "exception"},
		"a session lost, as status":      {Kind: "session_expired", On: "FetchResults", Match: "lytics_digest", After: 1, Form: "status"},
		"a connection cut in mid-fetch":  {Kind: "cut", On: "FetchResults", Match: "lytics_digest", After: 1},
		"a session lost before counting": {Kind: "session_expired", On: "ExecuteStatement", Match: "count_if", Form: "exception"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			db := database(t, s)
			people(t, s, db, rows)
			w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", ""))
			s.SetFault(t, fault)
			if text, code := w.tryApply(); code != 0 {
				// The first apply may fail, but must not lose rows silently: the next
				// apply completes the import.
				t.Logf("the first apply failed:\n%s", text)
				w.apply()
			}
			wantEach(t, w.events("s"), rows)
		})
	}
}

// checklist 27: Ctrl-C ends the apply, and the next apply continues. The rows
// of a slow warehouse are committed before they fill a batch.
func TestAnInterruptedApplyConverges(t *testing.T) {
	t.Parallel()
	const rows = 80_000
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, rows)
	s.SetFault(t, secondPageHeld)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", ""))
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	cmd := w.command(ctx, "apply", "-auto-approve", "-input=false", "-no-color")
	interrupted, ended := make(chan time.Time, 1), make(chan struct{})
	go func() {
		defer close(interrupted)
		if w.waitForCommit(ended) {
			interrupted <- time.Now()
			interrupt()
		}
	}()
	text, err := cmd.CombinedOutput()
	close(ended)
	at, ok := <-interrupted
	if err == nil || !ok {
		t.Fatalf("got %v, want an interrupted apply:\n%s", err, text)
	}
	t.Logf("the apply ended %s after Ctrl-C", time.Since(at))
	s.ClearFaults(t)
	before := len(w.events("s"))
	w.apply()
	wantEach(t, w.events("s"), rows)
	if before == 0 || before == rows {
		t.Errorf("%d events before Ctrl-C, want more than none and fewer than all", before)
	}
	jobs, err := w.api().Jobs(t.Context())
	if err != nil || len(jobs) != 1 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	w.wantNoChanges()
}

// checklist 44: when Terraform is killed, the plugin notices it and exits, and
// the next apply adopts the job that no state file holds.
func TestAKilledApplyConverges(t *testing.T) {
	t.Parallel()
	const rows = 50_000
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, rows)
	s.SetFault(t, secondPageHeld)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", ""))
	cmd := w.command(t.Context(), "apply", "-auto-approve", "-input=false", "-no-color", "-lock=false")
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	if !w.waitForCommit(ended) {
		t.Fatalf("the apply ended before it committed events:\n%s", output.String())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
	s.ClearFaults(t)
	w.apply("-lock=false")
	wantEach(t, w.events("s"), rows)
	all, err := w.api().Jobs(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%d jobs, %v", len(all), err)
	}
	w.wantNoChanges()
}

// checklist 28 30: whatever step of an export fails, the old table stays
// complete.
func TestAFailedExportKeepsTheOldTable(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sandboxtest.Fault{
		"COPY INTO fails":         {Kind: "statement_error", On: "ExecuteStatement", Match: "^COPY INTO", Message: "[INTERNAL_ERROR] no luck", SQLState: "XX000", Times: -1},
		"the replace fails":       {Kind: "statement_error", On: "ExecuteStatement", Match: "^INSERT OVERWRITE", Message: "[INTERNAL_ERROR] no luck", SQLState: "XX000", Times: -1},
		"the upload fails":        {Kind: "s3_error", On: "*", Match: "part-", Times: -1},
		"503 after the COPY":      {Kind: "unavailable", On: "ExecuteStatement", Match: "^COPY INTO", Form: "after", Times: 1},
		"503 after the replace":   {Kind: "unavailable", On: "ExecuteStatement", Match: "^INSERT OVERWRITE", Form: "after", Times: 1},
		"session lost at the end": {Kind: "session_expired", On: "ExecuteStatement", Match: "^INSERT OVERWRITE", Form: "status", Times: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			db := database(t, s)
			people(t, s, db, 100)
			hcl := func(n int) string {
				trigger := fmt.Sprintf(`triggers = { n = "%d" }`, n)
				return providerHCL + authorizationHCL + importHCL(db, "people", trigger+"\n  depends_on = [lytics_mapping.m]") +
					fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}, "email": {"string", "email"}}) +
					exportHCL(db, "everyone", "FILTER *", trigger)
			}
			w := newWorkspace(t, s, hcl(1))
			w.apply()
			target := "main." + db + ".lytics_user_everyone"
			count := func() string { return s.Query(t, "SELECT count(*) FROM "+target)[0][0] }
			if count() != "100" {
				t.Fatalf("%s rows", count())
			}
			s.Exec(t, "INSERT INTO main."+db+".people VALUES (100, 'late@example.com', TIMESTAMP '2024-06-01 00:00:00')")
			s.SetFault(t, fault)
			w.file("main.tf", hcl(2))
			text, code := w.tryApply()
			if code != 0 {
				if got := count(); got != "100" && got != "101" {
					t.Errorf("after the failure the table has %s rows:\n%s", got, text)
				}
				s.ClearFaults(t)
				w.apply()
			}
			if count() != "101" {
				t.Errorf("%s rows in the end", count())
			}
			if distinct := s.Query(t, "SELECT count(DISTINCT id) FROM "+target)[0][0]; distinct != "101" {
				t.Errorf("%s different rows in the end", distinct)
			}
			wantNothingLeft(t, s, db)
			w.wantNoChanges()
		})
	}
}

// checklist 56
func TestForeignTableIsNotReplaced(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 10)
	s.Exec(t, "CREATE TABLE main."+db+".lytics_user_everyone AS SELECT 'precious' AS note")
	hcl := func(extra string) string {
		return providerHCL + authorizationHCL + importHCL(db, "people", "depends_on = [lytics_mapping.m]") +
			fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}}) + exportHCL(db, "everyone", "FILTER *", extra)
	}
	w := newWorkspace(t, s, hcl(""))
	text, code := w.tryApply()
	if code != 1 {
		t.Fatalf("apply gave %d:\n%s", code, text)
	}
	wantError(t, text, "table_name", "overwrite_existing = true")
	if got := s.Query(t, "SELECT note FROM main."+db+".lytics_user_everyone"); got[0][0] != "precious" {
		t.Fatalf("the table holds %v", got)
	}
	w.file("main.tf", hcl("overwrite_existing = true"))
	w.apply()
	if got := s.Query(t, "SELECT count(*) FROM main."+db+".lytics_user_everyone"); got[0][0] != "10" {
		t.Fatalf("the table has %v rows", got)
	}
}
