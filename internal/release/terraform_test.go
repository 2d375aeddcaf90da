package release_test

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// serve serves a directory over HTTPS, and returns its host and the environment of a
// Terraform that trusts the server.
func serve(t *testing.T, dir string) (host string, env []string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("on this system Terraform takes certificate authorities from the system only")
	}
	server := httptest.NewTLSServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	write(t, authority, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	home := t.TempDir()
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TF_") {
			env = append(env, v)
		}
	}
	env = append(env, "HOME="+home, "XDG_DATA_HOME="+home, "CHECKPOINT_DISABLE=1", "SSL_CERT_FILE="+authority)
	return server.Listener.Addr().String(), env
}

// initialise runs "terraform init" for a source address, and returns its output and the
// lock file.
func initialise(t *testing.T, source string, env []string) (output, lock string) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.tf"), fmt.Sprintf("terraform {\n  required_providers {\n    lytics = { source = %q }\n  }\n}\n", source))
	cmd := exec.CommandContext(t.Context(), "terraform", "init", "-input=false", "-no-color")
	cmd.Dir, cmd.Env = dir, env
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("terraform init: %v\n%s", err, text)
	}
	return string(text), read(t, dir, ".terraform.lock.hcl")
}

// The static files are a network mirror for the source addresses of Terraform and of
// OpenTofu, and the same directory is a filesystem mirror.
func TestTerraformInstallsFromTheMirror(t *testing.T) {
	t.Parallel()
	key, _ := signingKey(t)
	dir := t.TempDir()
	if err := open(t, dist(t, "1.2.3", key)).WriteMirror(dir); err != nil {
		t.Fatal(err)
	}
	host, env := serve(t, dir)
	const source = "terraform-provider-lytics/lytics"
	network := fmt.Sprintf("network_mirror {\n    url = \"https://%s/\"\n  }", host)
	filesystem := fmt.Sprintf("filesystem_mirror {\n    path = %q\n  }", filepath.ToSlash(dir))
	for name, c := range map[string]struct{ mirror, source, want string }{
		"network":              {network, source, "v1.2.3 (verified checksum)"},
		"network for OpenTofu": {network, "registry.opentofu.org/" + source, "v1.2.3 (verified checksum)"},
		"filesystem":           {filesystem, source, "v1.2.3 (unauthenticated)"},
	} {
		rc := filepath.Join(t.TempDir(), "terraform.rc")
		write(t, rc, "provider_installation {\n  "+c.mirror+"\n}\n")
		output, _ := initialise(t, c.source, append(env, "TF_CLI_CONFIG_FILE="+rc))
		if !strings.Contains(output, c.want) {
			t.Errorf("%s: got\n%s\nwant %q", name, output, c.want)
		}
	}
}

// The static files are a registry, whose archives are signed.
func TestTerraformInstallsFromTheRegistry(t *testing.T) {
	t.Parallel()
	key, public := signingKey(t)
	dir := t.TempDir()
	r := open(t, dist(t, "1.2.3", key))
	if err := r.WriteRegistry(dir, public, ""); err != nil {
		t.Fatal(err)
	}
	host, env := serve(t, dir)
	output, lock := initialise(t, host+"/terraform-provider-lytics/lytics", env)
	if want := "key ID " + key.PrimaryKey.KeyIdString(); !strings.Contains(output, want) {
		t.Errorf("got\n%s\nwant %q", output, want)
	}
	for _, a := range r.Archives {
		if !strings.Contains(lock, `"zh:`+a.SHA256+`"`) {
			t.Errorf("the lock file has no checksum of %s:\n%s", a.File, lock)
		}
	}
}
