// Package release makes static files, from which Terraform installs the provider, of the
// archives of a release: a network mirror and a registry. It also installs a build on this
// machine, and reads the notes of a release from the changelog.
package release

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// The source address of the provider is namespace/name. project is the beginning of the
// names of all files of a release.
const (
	namespace = "terraform-provider-lytics"
	name      = "lytics"
	project   = "terraform-provider-lytics"
	// protocol is the version of the plugin protocol, as in terraform-registry-manifest.json.
	protocol = "6.0"
)

// hosts are the registries that a source address without a host means: that of Terraform
// and that of OpenTofu.
var hosts = []string{"registry.terraform.io", "registry.opentofu.org"}

var (
	// versionForm matches a semantic version without "v".
	versionForm = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
	archiveForm = regexp.MustCompile(`^` + project + `_(.+)_([a-z0-9]+)_([a-z0-9]+)\.zip$`)
	sumForm     = regexp.MustCompile(`^([0-9a-f]{64})  (\S+)$`)
)

// Release is a directory with the files that goreleaser made.
type Release struct {
	// Version has no "v".
	Version  string
	Archives []Archive
	dir      string
}

// Archive is the zip file for one system.
type Archive struct {
	File, OS, Arch, SHA256 string
}

// Open reads the checksums of a release in dir, and compares them with its archives.
func Open(dir string) (Release, error) {
	files, err := filepath.Glob(filepath.Join(dir, project+"_*_SHA256SUMS"))
	if err != nil {
		return Release{}, err
	}
	if len(files) != 1 {
		return Release{}, fmt.Errorf("%s has %d files %s_VERSION_SHA256SUMS, and exactly one is needed: make the release there with goreleaser",
			dir, len(files), project)
	}
	r := Release{dir: dir, Version: strings.TrimSuffix(strings.TrimPrefix(filepath.Base(files[0]), project+"_"), "_SHA256SUMS")}
	if !versionForm.MatchString(r.Version) {
		return Release{}, fmt.Errorf("%s: %q is no semantic version", files[0], r.Version)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return Release{}, err
	}
	for line := range strings.Lines(string(text)) {
		sum := sumForm.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if sum == nil {
			return Release{}, fmt.Errorf("%s: the line %q is no checksum and file", files[0], line)
		}
		m := archiveForm.FindStringSubmatch(sum[2])
		if m == nil {
			continue // the manifest, or an SBOM
		}
		if m[1] != r.Version {
			return Release{}, fmt.Errorf("%s: %s is of another version", files[0], sum[2])
		}
		if err := checkSum(filepath.Join(dir, sum[2]), sum[1]); err != nil {
			return Release{}, err
		}
		r.Archives = append(r.Archives, Archive{File: sum[2], OS: m[2], Arch: m[3], SHA256: sum[1]})
	}
	if len(r.Archives) == 0 {
		return Release{}, fmt.Errorf("%s names no archive %s_%s_OS_ARCH.zip", files[0], project, r.Version)
	}
	return r, nil
}

func (r Release) sums() string { return project + "_" + r.Version + "_SHA256SUMS" }

// checkSum compares the SHA-256 of a file with want.
func checkSum(file, want string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("%s has the SHA-256 %s, and the checksums of the release say %s: make the release again", file, got, want)
	}
	return nil
}

// copyTo copies files of the release into a directory.
func (r Release) copyTo(dir string, files ...string) error {
	for _, f := range files {
		if err := place(filepath.Join(r.dir, f), filepath.Join(dir, f), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (r Release) archiveFiles() []string {
	var files []string
	for _, a := range r.Archives {
		files = append(files, a.File)
	}
	return files
}

// place copies a file, and makes its directory. An earlier file is replaced at once, also
// while a process executes it.
func place(from, to string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // public files
		return err
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	part, err := os.CreateTemp(filepath.Dir(to), ".part-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(part, source)
	if err = errors.Join(err, part.Chmod(mode), part.Close()); err == nil {
		err = os.Rename(part.Name(), to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return nil
}

// readJSON reads a document that an earlier release may have written; a missing one leaves
// v as it is.
func readJSON(file string, v any) error {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func writeJSON(file string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // public files
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644) //nolint:gosec // public files
}
