package cli_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

func TestStoreIsBackedUpRestoredAndCopied(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir := func(name string) string { return filepath.Join(root, name) }
	db, err := store.Open(t.Context(), store.Location{Dir: dir("data")}, true)
	if err != nil {
		t.Fatal(err)
	}
	id := db.ID()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"store", "backup", "--data-dir", dir("data"), "--to", dir("backup")},
		{"store", "restore", "--data-dir", dir("restored"), "--from", dir("backup")},
		{"store", "copy", "--data-dir", dir("restored"), "--to", dir("copied")},
		{"store", "copy", "--data-dir", dir("again"), "--from", dir("copied")},
	} {
		code, out, errOut := run(t, nil, append(args, "--json")...)
		var done struct {
			StoreID string `json:"store_id"`
		}
		if err := json.Unmarshal([]byte(out), &done); code != 0 || err != nil || done.StoreID != id {
			t.Fatalf("%v: %d, %q, %q, %v", args, code, out, errOut, err)
		}
	}
	for _, c := range []struct {
		says string
		args []string
	}{
		{"No store at", []string{"backup", "--data-dir", dir("none"), "--to", dir("x")}},
		{"store at " + dir("again"), []string{"restore", "--data-dir", dir("again"), "--from", dir("backup")}},
		{"not empty", []string{"backup", "--data-dir", dir("data"), "--to", dir("backup")}},
		{"source or the target of the copy is missing", []string{"copy", "--data-dir", dir("data")}},
		{"needs --to", []string{"backup", "--data-dir", dir("data"), "--from", dir("x")}},
		{"needs --from", []string{"restore", "--data-dir", dir("x")}},
		{"pg_dump", []string{"backup", "--database-url", "postgres://u:hidden@h/d", "--to", dir("x")}},
		{"copy, backup and restore", []string{"lose", "--data-dir", dir("data")}},
	} {
		code, out, errOut := run(t, nil, append([]string{"store"}, c.args...)...)
		if code != 1 || out != "" || !strings.Contains(errOut, c.says) || strings.Contains(errOut, "hidden") {
			t.Errorf("%v: %d, %q, %q", c.args, code, out, errOut)
		}
	}
}
