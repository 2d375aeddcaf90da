package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/cli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// The command makes a new key, encrypts the store with it while an apply uses the
// store, and ends the rotation when it is given again. The key is in no output.
func TestStoreRotateKey(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	data, file, next := filepath.Join(root, "data"), filepath.Join(root, "keys", "key"), filepath.Join(root, "keys", "next")
	process := func() *engine.Engine {
		e := engine.New(engine.Options{DataDir: data, EncryptionKeyFile: file, AllowPrivateHosts: true, Getenv: func(string) string { return "" }})
		t.Cleanup(func() { _ = e.Close() }) // a second call does nothing
		return e
	}
	apply := process()
	secret := jobs.NewSecret("dapi-1")
	made, err := apply.CreateAuthorization(t.Context(), jobs.AuthorizationChange{Token: &secret, AuthorizationSpec: jobs.AuthorizationSpec{
		Label: "warehouse", Host: "http://127.0.0.1", Port: 1, HTTPPath: "/sql/1.0/warehouses/a"}})
	if err != nil {
		t.Fatal(err)
	}
	rotate := func(env map[string]string, args ...string) (int, string) {
		t.Helper()
		env["LYTICS_ENCRYPTION_KEY_FILE"] = file
		var out bytes.Buffer
		code := cli.Run(t.Context(), append([]string{"store", "rotate-key", "--data-dir", data}, args...), cli.Program{
			Version: "1.2.3", LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		}, &out, &out)
		return code, out.String()
	}
	for what, c := range map[string]struct {
		env  map[string]string
		args []string
	}{
		"no key":      {map[string]string{}, nil},
		"two keys":    {map[string]string{"LYTICS_NEW_ENCRYPTION_KEY": "x"}, []string{"--new-key-file", next}},
		"half a key":  {map[string]string{"LYTICS_NEW_ENCRYPTION_KEY": "c2hvcnQ="}, nil},
		"a directory": {map[string]string{}, []string{"--new-key-file", next, "--to", root}},
	} {
		if code, out := rotate(c.env, c.args...); code != 1 || strings.Contains(out, "c2hvcnQ=") {
			t.Errorf("%s: got %d and %q, want 1", what, code, out)
		}
	}
	code, out := rotate(map[string]string{}, "--new-key-file", next)
	if code != 0 || !strings.Contains(out, "1 secrets") || !strings.Contains(out, "has not ended") {
		t.Fatalf("got %d and %q, want to wait for the apply", code, out)
	}
	text, err := os.ReadFile(next)
	if err != nil || strings.Contains(out, strings.TrimSpace(string(text))) {
		t.Fatalf("the new key is not in its file, or in the output: %v, %q", err, out)
	}
	if got, err := apply.Authorization(t.Context(), made.ID); err != nil || !got.SecretReadable {
		t.Errorf("the apply during the rotation: got %+v, %v; want a readable secret", got, err)
	}
	if err := apply.Close(); err != nil {
		t.Fatal(err)
	}
	if code, out := rotate(map[string]string{"LYTICS_NEW_ENCRYPTION_KEY": strings.TrimSpace(string(text))}); code != 0 || !strings.Contains(out, "has ended") {
		t.Errorf("given again: got %d and %q, want the end", code, out)
	}
	if got, err := process().Authorization(t.Context(), made.ID); err != nil || got.SecretReadable {
		t.Errorf("with the earlier key: got %+v, %v; want an unreadable secret", got, err)
	}
	if err := os.Rename(next, file); err != nil {
		t.Fatal(err)
	}
	after := process()
	if got, err := after.Authorization(t.Context(), made.ID); err != nil || !got.SecretReadable {
		t.Errorf("with the new key: got %+v, %v; want a readable secret", got, err)
	}
	page, err := after.AuditLog(t.Context(), jobs.AuditFilter{Action: "rotate-key"})
	if err != nil || len(page.Entries) == 0 {
		t.Errorf("the audit log: got %+v, %v; want the rotation", page, err)
	}
}
