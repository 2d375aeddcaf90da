package acceptance

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// interruptedTwice applies and sends two interrupts once events are committed. It
// returns the output of Terraform, which leaves without state at the second one.
func (w *workspace) interruptedTwice() string {
	w.t.Helper()
	cmd := w.command(w.t.Context(), "apply", "-auto-approve", "-input=false", "-no-color", "-lock=false")
	r, out, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	_ = out.Close() // Terraform and the plugin have it
	ended := make(chan struct{})
	interrupted := make(chan error, 1)
	go func() {
		var err error
		if w.waitForCommit(ended) {
			err = cmd.Process.Signal(os.Interrupt)
		}
		interrupted <- err
	}()
	var text strings.Builder
	again := false
	for buffer := make([]byte, 4096); ; {
		n, err := r.Read(buffer)
		text.Write(buffer[:n])
		if !again && strings.Contains(text.String(), "Interrupt received") {
			again = true
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				w.t.Error(err)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	err = cmd.Wait()
	close(ended)
	if interruptErr := <-interrupted; err == nil || interruptErr != nil || !strings.Contains(text.String(), "Two interrupts received") {
		w.t.Fatalf("got %v and %v, want an apply that was interrupted twice:\n%s", err, interruptErr, text.String())
	}
	return text.String()
}

// Checklist 69: Terraform leaves at the second Ctrl-C, without the job in state. The
// next apply takes the job back and finishes the import.
func TestAnApplyInterruptedTwiceConverges(t *testing.T) {
	t.Parallel()
	const rows = 50_000
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, rows)
	// The run waits for the end of its session, so that the create is open at the second
	// interrupt.
	s.SetFault(t, secondPageHeld, sandboxtest.Fault{Kind: "slow", On: "CloseSession", Delay: "24h", Times: -1})
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", ""))
	w.interruptedTwice()
	if w.state("lytics_databricks_table_import.i") != nil {
		t.Fatal("the job is in state: the test did not reach its subject")
	}
	s.ClearFaults(t)
	before, err := w.api().Jobs(t.Context())
	if err != nil || len(before) != 1 {
		t.Fatalf("%d jobs after the interrupts, %v", len(before), err)
	}
	w.apply("-lock=false")
	wantEach(t, w.events("s"), rows)
	after, err := w.api().Jobs(t.Context())
	if err != nil || len(after) != 1 || after[0].ID != before[0].ID {
		t.Fatalf("got the jobs %+v, %v; want job %s", after, err, before[0].ID)
	}
	w.wantNoChanges()
}

// Checklist 69: a job that no run of succeeded owes a run after terraform import.
func TestAnImportedJobThatNeverSucceededRuns(t *testing.T) {
	t.Parallel()
	const rows = 100
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, rows)
	s.SetFault(t, sandboxtest.Fault{
		Kind: "statement_error", On: "ExecuteStatement", Match: "lytics_digest", Message: "[INTERNAL_ERROR] no luck", SQLState: "XX000", Times: -1,
	})
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", ""))
	text, code := w.tryApply()
	if code != 1 {
		t.Fatalf("apply gave %d, want 1:\n%s", code, text)
	}
	wantError(t, text, "terraform untaint")
	s.ClearFaults(t)
	const address = "lytics_databricks_table_import.i"
	id := w.state(address)["id"].(string)
	for _, args := range [][]string{{"state", "rm", address}, {"import", "-input=false", address, id}} {
		if text, code := w.terraform(args...); code != 0 {
			t.Fatalf("terraform %s gave %d:\n%s", args[0], code, text)
		}
	}
	text, code = w.plan()
	if code != 2 || !strings.Contains(text, "will be updated in-place") || !strings.Contains(flatten(text), "last_run = (known after apply)") {
		t.Fatalf("plan gave %d:\n%s", code, text)
	}
	w.apply()
	wantEach(t, w.events("s"), rows)
	if got := w.state(address)["id"]; got != id {
		t.Errorf("got the id %v, want %s", got, id)
	}
	w.wantNoChanges()
}

// Checklist 70: Terraform taints a job whose first run failed. The replacement has the
// job's id, its runs and its cursor. With create_before_destroy it is refused, and the
// error and the plan say what to do.
func TestTheReplacementOfATaintedJobIsOneInNameOnly(t *testing.T) {
	t.Parallel()
	const rows = 100
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, rows)
	fail := func() {
		s.SetFault(t, sandboxtest.Fault{
			Kind: "statement_error", On: "ExecuteStatement", Match: "lytics_digest", Message: "[INTERNAL_ERROR] no luck", SQLState: "XX000", Times: -1,
		})
	}
	plain := providerHCL + authorizationHCL + importHCL(db, "people", "")
	w := newWorkspace(t, s, plain)
	fail()
	if text, code := w.tryApply(); code != 1 {
		t.Fatalf("apply gave %d, want 1:\n%s", code, text)
	}
	const address = "lytics_databricks_table_import.i"
	id := w.state(address)["id"]

	w.file("main.tf", providerHCL+authorizationHCL+importHCL(db, "people", "lifecycle { create_before_destroy = true }"))
	text, _ := w.plan()
	wantError(t, text, "must be replaced", "Warning: Job "+id.(string)+" already imports this table", "remove create_before_destroy", "untaint")
	text, code := w.tryApply()
	if code != 1 {
		t.Fatalf("apply gave %d, want 1:\n%s", code, text)
	}
	wantError(t, text, "Error: Job "+id.(string)+" already imports this table", "remove create_before_destroy from its lifecycle")

	w.file("main.tf", plain)
	if text, code := w.tryApply(); code != 1 {
		t.Fatalf("the apply of a replacement whose run fails gave %d, want 1:\n%s", code, text)
	}
	s.ClearFaults(t)
	w.apply()
	if got := w.state(address)["id"]; got != id {
		t.Errorf("the replacement has id %v, want %v", got, id)
	}
	wantEach(t, w.events("s"), rows)
	for _, r := range w.runs() {
		if r.JobID != id {
			t.Errorf("run %s is of job %s, want %v", r.ID, r.JobID, id)
		}
	}
	if n := len(w.runs()); n != 3 {
		t.Errorf("the job has %d runs, want 3: its history is that of all three applies", n)
	}
	w.wantNoChanges()
}
