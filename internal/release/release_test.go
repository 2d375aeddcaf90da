package release_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/release"
)

// signingKey is a new key, and its public part as gpg --armor --export writes it.
func signingKey(t *testing.T) (*openpgp.Entity, []byte) {
	t.Helper()
	key, err := openpgp.NewEntity("Release", "", "release@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	var public bytes.Buffer
	w, err := armor.Encode(&public, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Serialize(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return key, public.Bytes()
}

// dist is a directory as goreleaser makes it, with a small file in place of the provider.
func dist(t *testing.T, version string, key *openpgp.Entity) string {
	t.Helper()
	dir := t.TempDir()
	var sums bytes.Buffer
	for _, system := range []string{"linux_amd64", "linux_arm64", "darwin_arm64", "windows_amd64"} {
		var archive bytes.Buffer
		z := zip.NewWriter(&archive)
		header := &zip.FileHeader{Name: "terraform-provider-lytics_v" + version, Method: zip.Deflate}
		header.SetMode(0o755)
		w, err := z.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(w, "the provider %s for %s", version, system); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		name := "terraform-provider-lytics_" + version + "_" + system + ".zip"
		write(t, filepath.Join(dir, name), archive.String())
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(archive.Bytes()), name)
	}
	fmt.Fprintf(&sums, "%x  terraform-provider-lytics_%s_manifest.json\n", sha256.Sum256(nil), version)
	file := filepath.Join(dir, "terraform-provider-lytics_"+version+"_SHA256SUMS")
	write(t, file, sums.String())
	var signature bytes.Buffer
	if err := openpgp.DetachSign(&signature, key, bytes.NewReader(sums.Bytes()), nil); err != nil {
		t.Fatal(err)
	}
	write(t, file+".sig", signature.String())
	return dir
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, parts ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func open(t *testing.T, dir string) release.Release {
	t.Helper()
	r, err := release.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The layouts keep the releases that they had.
func TestALaterReleaseIsAdded(t *testing.T) {
	t.Parallel()
	key, public := signingKey(t)
	mirror, registry := t.TempDir(), t.TempDir()
	for _, version := range []string{"1.2.3", "1.3.0-rc.1", "1.2.3"} {
		r := open(t, dist(t, version, key))
		if err := r.WriteMirror(mirror); err != nil {
			t.Fatal(err)
		}
		if err := r.WriteRegistry(registry, public, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		var index struct{ Versions map[string]struct{} }
		document := read(t, mirror, host, "terraform-provider-lytics", "lytics", "index.json")
		if err := json.Unmarshal([]byte(document), &index); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]struct{}{"1.2.3": {}, "1.3.0-rc.1": {}}, index.Versions); diff != "" {
			t.Errorf("the mirror's versions for %s (-want +got):\n%s", host, diff)
		}
	}
	var list struct {
		Versions []struct {
			Version   string
			Platforms []struct{ OS, Arch string }
		}
	}
	document := read(t, registry, "v1", "providers", "terraform-provider-lytics", "lytics", "versions")
	if err := json.Unmarshal([]byte(document), &list); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, v := range list.Versions {
		got[v.Version] += len(v.Platforms)
	}
	if diff := cmp.Diff(map[string]int{"1.2.3": 4, "1.3.0-rc.1": 4}, got); diff != "" {
		t.Errorf("the registry's platforms of each version (-want +got):\n%s", diff)
	}
}

// With an address, the registry has documents only.
func TestARegistryRefersToTheArchivesElsewhere(t *testing.T) {
	t.Parallel()
	key, public := signingKey(t)
	dir := t.TempDir()
	if err := open(t, dist(t, "1.2.3", key)).WriteRegistry(dir, public, "https://example.com/releases/v1.2.3"); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Protocols []string
		URL       string `json:"download_url"`
		Sums      string `json:"shasums_url"`
		Signature string `json:"shasums_signature_url"`
	}
	document := read(t, dir, "v1", "providers", "terraform-provider-lytics", "lytics", "1.2.3", "download", "linux", "arm64")
	if err := json.Unmarshal([]byte(document), &got); err != nil {
		t.Fatal(err)
	}
	base := "https://example.com/releases/v1.2.3/terraform-provider-lytics_1.2.3_"
	want := []string{base + "linux_arm64.zip", base + "SHA256SUMS", base + "SHA256SUMS.sig"}
	if diff := cmp.Diff(want, []string{got.URL, got.Sums, got.Signature}); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	var manifest struct {
		Metadata struct {
			Protocols []string `json:"protocol_versions"`
		}
	}
	if err := json.Unmarshal([]byte(read(t, "..", "..", "terraform-registry-manifest.json")), &manifest); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(manifest.Metadata.Protocols, got.Protocols); diff != "" {
		t.Errorf("protocols (-manifest +registry):\n%s", diff)
	}
}

// What is not as released is not published.
func TestADamagedReleaseIsRefused(t *testing.T) {
	t.Parallel()
	key, _ := signingKey(t)
	_, otherPublic := signingKey(t)
	dir := dist(t, "1.2.3", key)
	if err := open(t, dir).WriteRegistry(t.TempDir(), otherPublic, ""); err == nil || !strings.Contains(err.Error(), "not by this public key") {
		t.Errorf("another key gave %v", err)
	}
	write(t, filepath.Join(dir, "terraform-provider-lytics_1.2.3_linux_amd64.zip"), "changed")
	if _, err := release.Open(dir); err == nil || !strings.Contains(err.Error(), "linux_amd64.zip has the SHA-256") {
		t.Errorf("a changed archive gave %v", err)
	}
	if _, err := release.Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "goreleaser") {
		t.Errorf("a directory without a release gave %v", err)
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	const changelog = "# Changelog\n\n## Unreleased\n\n- later\n\n## 1.3.0 (2026-12-24)\n\n- new\n\n### Fixed\n\n- old\n\n" +
		"## 1.2.3\n\n- first\n"
	for version, want := range map[string]string{"v1.3.0": "- new\n\n### Fixed\n\n- old\n", "1.2.3": "- first\n"} {
		if got, err := release.Notes(changelog, version); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", version, got, err, want)
		}
	}
	for version, want := range map[string]string{"v2.0.0": `"## 2.0.0"`, "v1.3": "no semantic version", "main": "no semantic version"} {
		if got, err := release.Notes(changelog, version); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %q, %v; want an error with %q", version, got, err, want)
		}
	}
}

func TestInstallation(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "built")
	write(t, binary, "the provider")
	home := t.TempDir()
	i := release.Installation{Plugins: release.DefaultPlugins("linux", home, ""), Bin: filepath.Join(home, "bin")}
	for range 2 { // the second one replaces the first
		places, err := i.Install(binary, "0.0.7", "linux", "amd64")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range places {
			info, err := os.Stat(p)
			if err != nil {
				t.Fatal(err)
			}
			relative, err := filepath.Rel(home, p)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s %v", filepath.ToSlash(relative), info.Mode().Perm()))
		}
		file := "/terraform-provider-lytics/lytics/0.0.7/linux_amd64/terraform-provider-lytics_v0.0.7 -rwxr-xr-x"
		plugins := ".terraform.d/plugins/registry."
		want := []string{plugins + "terraform.io" + file, plugins + "opentofu.org" + file, "bin/terraform-provider-lytics -rwxr-xr-x"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("places (-want +got):\n%s", diff)
		}
	}
	if _, err := i.Install(binary, "1.0.0", "linux", "amd64"); err != nil {
		t.Fatal(err)
	}
	others, err := i.Others("1.0.0")
	if diff := cmp.Diff([]string{"0.0.7"}, others); err != nil || diff != "" {
		t.Errorf("other versions: %v (-want +got):\n%s", err, diff)
	}
	if _, err := i.Install(binary, "dev", "linux", "amd64"); err == nil || !strings.Contains(err.Error(), "1.2.3") {
		t.Errorf("the version dev gave %v", err)
	}
	removed, err := i.Remove()
	if err != nil || len(removed) != 3 {
		t.Errorf("removed %q, %v; want three", removed, err)
	}
	if removed, err := i.Remove(); err != nil || len(removed) != 0 {
		t.Errorf("removed %q, %v again; want nothing", removed, err)
	}
}
