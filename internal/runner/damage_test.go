package runner_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
)

// checklist 42: a damaged store stops the runner with an error, and the file
// stays unchanged.
func TestADamagedStoreStopsTheRunner(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	apply := b.engine()
	auth := b.authorize(apply)
	for _, name := range []string{"a", "b", "c"} {
		b.job(apply, auth.ID, name, startImmediately)
	}
	if err := apply.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(b.dir, "data", "lytics.db")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// Damage all pages except the first one, which has the schema.
	damaged := append(bytes.Clone(whole[:4096]), bytes.Repeat([]byte{0xa5}, len(whole)-4096)...)
	if err := os.WriteFile(file, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	e := b.engine()
	r, err := runner.New(e, runner.Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context()); !jobs.IsCode(err, jobs.CodeStore) {
		t.Errorf("got %v, want code %s", err, jobs.CodeStore)
	}
	_ = e.Close() // it fails too: it cannot write to the store
	left, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(left[4096:], damaged[4096:]) {
		t.Errorf("the file was changed (%v)", err)
	}
}
