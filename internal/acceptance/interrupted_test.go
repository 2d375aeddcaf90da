package acceptance

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// disturbances are the ways in which an apply ends early.
var disturbances = []struct {
	name string
	do   func(t *testing.T, terraform *os.Process)
}{
	{"Terraform is killed", func(_ *testing.T, terraform *os.Process) { _ = terraform.Kill() }},
	{"the provider is killed", killPlugins},
	{"Ctrl-C", func(_ *testing.T, terraform *os.Process) { _ = terraform.Signal(os.Interrupt) }},
	{"Ctrl-C twice", func(_ *testing.T, terraform *os.Process) {
		_ = terraform.Signal(os.Interrupt)
		pause := time.NewTimer(200 * time.Millisecond)
		<-pause.C
		_ = terraform.Signal(os.Interrupt)
	}},
}

// killPlugins kills the providers that a Terraform process started.
func killPlugins(t *testing.T, terraform *os.Process) {
	t.Helper()
	out, _ := exec.CommandContext(t.Context(), "pgrep", "-P", strconv.Itoa(terraform.Pid)).Output()
	for _, text := range strings.Fields(string(out)) {
		if pid, err := strconv.Atoi(text); err == nil {
			if plugin, err := os.FindProcess(pid); err == nil {
				_ = plugin.Kill()
			}
		}
	}
}

// checklist 44 57 69: an apply is killed, its provider is killed, or it is interrupted,
// once or twice, at a random moment. The next apply converges: one job, each row once,
// and no change is planned.
func TestAnApplyThatEndsEarlyAtAnyMomentConverges(t *testing.T) {
	t.Parallel()
	only(t, "the runs are those of TestRunnersThatAreKilledAgainAndAgainLoseNothing", embedded)
	record := torture.Begin(t, "Terraform or provider killed or interrupted", "applies")
	seed := torture.Seed(t)
	s := sandboxtest.Start(t)
	e := &earlyEnd{sandbox: s, record: record}
	e.measure(t)
	rounds := torture.Times(len(disturbances), 2*len(disturbances), 15*len(disturbances))
	for n := range rounds { //nolint:paralleltest // the faults are those of the one sandbox
		t.Run(fmt.Sprintf("round %d", n), func(t *testing.T) {
			t.Helper()
			e.round(t, n%len(disturbances), rand.New(rand.NewPCG(seed, uint64(n))))
		})
		if t.Failed() {
			break
		}
	}
	record.Note = fmt.Sprintf("%d ended before the end of the apply, %d of them after rows were committed", e.early, e.middle)
}

// earlyEnd counts the rounds.
type earlyEnd struct {
	sandbox       *sandboxtest.Sandbox
	record        *torture.Record
	early, middle int
	// whole is how long an apply takes.
	whole time.Duration
}

// earlyRows are those of each table: three pages.
const earlyRows = 25_000

// prepare returns a workspace with an import of slow pages.
func (e *earlyEnd) prepare(t *testing.T) *workspace {
	t.Helper()
	db := database(t, e.sandbox)
	people(t, e.sandbox, db, earlyRows)
	e.sandbox.SetFault(t, sandboxtest.Fault{Kind: "slow", On: "FetchResults", Match: "lytics_digest", Delay: "500ms", Times: -1})
	return newWorkspace(t, e.sandbox, providerHCL+authorizationHCL+importHCL(db, "people", "batch_size = 1000"))
}

// measure measures an apply that nothing disturbs.
func (e *earlyEnd) measure(t *testing.T) {
	t.Helper()
	w := e.prepare(t)
	begun := time.Now()
	w.apply("-lock=false")
	e.whole = time.Since(begun)
	e.sandbox.ClearFaults(t)
}

// round disturbs one apply of a new workspace, and applies again.
func (e *earlyEnd) round(t *testing.T, kind int, random *rand.Rand) {
	t.Helper()
	const rows = earlyRows
	w := e.prepare(t)
	cmd := w.command(t.Context(), "apply", "-auto-approve", "-input=false", "-no-color", "-lock=false")
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := disturbances[kind]
	timer := time.AfterFunc(time.Duration((0.1+random.Float64())*float64(e.whole)), func() { d.do(t, cmd.Process) })
	err := cmd.Wait()
	if timer.Stop() || err == nil {
		e.whole = time.Since(begun) // it ended before it was disturbed
	} else {
		e.early++
		e.whole = e.whole * 21 / 20
	}
	e.record.Tried++
	if w.committed() > 0 && err != nil {
		e.middle++
	}
	e.sandbox.ClearFaults(t)
	// The process of a killed Terraform ends when it notices that, and frees its run.
	if text, code := w.tryApply("-lock=false"); code != 0 {
		e.record.Wrong++
		t.Fatalf("%s, then apply gave %d:\n%s\nThe first apply:\n%s", d.name, code, text, output.String())
	}
	events := w.events("s")
	seen := ids(t, events)
	lost, doubled := rows-len(seen), len(events)-len(seen)
	e.record.Lost, e.record.Doubled = e.record.Lost+lost, e.record.Doubled+doubled
	if lost != 0 || doubled != 0 {
		t.Errorf("%s: got %d events of %d rows, want %d of each", d.name, len(events), len(seen), rows)
	}
	if all, err := w.api().Jobs(t.Context()); err != nil || len(all) != 1 {
		e.record.Wrong++
		t.Errorf("%s: got %d jobs, %v, want one", d.name, len(all), err)
	}
	if text, code := w.plan("-lock=false"); code != 0 {
		e.record.Wrong++
		t.Errorf("%s: plan -detailed-exitcode gave %d:\n%s", d.name, code, text)
	}
}
