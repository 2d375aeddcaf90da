// Package clienttest finds the clients of the provider that tests run besides the terraform
// on PATH: a Terraform that is new enough for list resources, actions or identities, and
// OpenTofu.
//
// Without such a client the tests that need it are skipped, and make test says so. With
// LYTICS_TEST_REQUIRE_NEWER=1 they fail instead, so that CI cannot skip them unnoticed.
package clienttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
)

// The environment variables.
const (
	// NewerEnv is the path of the newer Terraform. It goes before what is on PATH.
	NewerEnv = "LYTICS_TEST_TERRAFORM_NEWER"
	// RequireEnv makes a missing client a failure.
	RequireEnv = "LYTICS_TEST_REQUIRE_NEWER"
)

// The first minor versions, of version 1, that have what a test needs.
const (
	// ImportByIdentity is Terraform's import block with identity.
	ImportByIdentity = 12
	// QueryAndActions are Terraform's list and action blocks, and terraform query.
	QueryAndActions = 14
	// OpenTofuEphemeral is OpenTofu's first version with ephemeral variables and
	// write-only attributes.
	OpenTofuEphemeral = 11
)

// Client is an installed Terraform or OpenTofu.
type Client struct {
	// Name is Terraform or OpenTofu.
	Name, Path string
	// Version is as the client says it, such as 1.15.0-beta1.
	Version string
	minor   int
}

func (c Client) String() string { return fmt.Sprintf("%s %s (%s)", c.Name, c.Version, c.Path) }

// atLeast counts a version before the release of 1.14.0 as 1.14.
func (c Client) atLeast(minor int) bool { return c.Path != "" && c.minor >= minor }

// Found are the clients of a machine. One that is not there has no path.
type Found struct {
	// Terraform is the newest one.
	Terraform, OpenTofu Client
}

// numbered matches the names of Terraform binaries with their minor version.
var numbered = regexp.MustCompile(`^terraform-1\.\d+(\.exe)?$`)

// Find looks for the clients. getenv is os.Getenv, or a test's environment. Terraform is
// the one of NewerEnv; without that variable, the newest of terraform and of the names
// terraform-1.12, terraform-1.13 and so on that are on PATH. A client that cannot say its
// version is an error where NewerEnv names it, and otherwise none.
func Find(ctx context.Context, getenv func(string) string) (Found, error) {
	var found Found
	var err error
	if path := getenv(NewerEnv); path != "" {
		if found.Terraform, err = ask(ctx, "Terraform", path); err != nil {
			return Found{}, fmt.Errorf("%s is %q, which is no Terraform that works: %w", NewerEnv, path, err)
		}
	}
	for _, dir := range filepath.SplitList(getenv("PATH")) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // PATH may name directories that do not exist
		}
		for _, e := range entries {
			name, path := e.Name(), filepath.Join(dir, e.Name())
			switch {
			case getenv(NewerEnv) == "" && (name == "terraform" || name == "terraform.exe" || numbered.MatchString(name)):
				if c, err := ask(ctx, "Terraform", path); err == nil && c.newerThan(found.Terraform) {
					found.Terraform = c
				}
			case found.OpenTofu.Path == "" && (name == "tofu" || name == "tofu.exe"):
				if c, err := ask(ctx, "OpenTofu", path); err == nil {
					found.OpenTofu = c
				}
			}
		}
	}
	return found, nil
}

// newerThan leaves a client in place that is as new: the first one on PATH.
func (c Client) newerThan(other Client) bool { return other.Path == "" || c.minor > other.minor }

var versionOne = regexp.MustCompile(`^1\.(\d+)\.`)

// ask runs a client for its version.
func ask(ctx context.Context, name, path string) (Client, error) {
	cmd := exec.CommandContext(ctx, path, "version", "-json")
	// Neither a call of a version service, nor warnings of the user's configuration.
	cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE="+os.DevNull)
	cmd.Dir = os.TempDir() // not a directory with a configuration
	output, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return Client{}, fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
	}
	if err != nil {
		return Client{}, err
	}
	// OpenTofu gives its own version under this name, too.
	var said struct {
		Version string `json:"terraform_version"`
	}
	if err := json.Unmarshal(output, &said); err != nil {
		return Client{}, fmt.Errorf("its answer to version -json is not JSON: %w", err)
	}
	m := versionOne.FindStringSubmatch(said.Version)
	if m == nil {
		return Client{}, fmt.Errorf("its version is %q, want 1.x", said.Version)
	}
	minor, err := strconv.Atoi(m[1])
	return Client{Name: name, Path: path, Version: said.Version, minor: minor}, err
}

var onThisMachine = sync.OnceValues(func() (Found, error) { return Find(context.Background(), os.Getenv) })

// Terraform returns a Terraform of version 1.minor or newer, and skips the test if there is
// none. NewerEnv has to name one that is new enough for all tests.
func Terraform(tb testing.TB, minor int) Client {
	tb.Helper()
	found, err := onThisMachine()
	switch {
	case err != nil:
		tb.Fatal(err)
	case os.Getenv(NewerEnv) != "" && !found.Terraform.atLeast(minor):
		tb.Fatalf("%s names %s, and the test needs 1.%d or newer", NewerEnv, found.Terraform, minor)
	}
	return have(tb, found.Terraform, minor, missingTerraform(found, minor))
}

// OpenTofu returns an OpenTofu of version 1.minor or newer, and skips the test if there is
// none.
func OpenTofu(tb testing.TB, minor int) Client {
	tb.Helper()
	found, err := onThisMachine()
	if err != nil {
		tb.Fatal(err)
	}
	return have(tb, found.OpenTofu, minor, missingOpenTofu(found, minor))
}

func have(tb testing.TB, c Client, minor int, missing string) Client {
	tb.Helper()
	switch {
	case c.atLeast(minor):
		tb.Logf("with %s", c)
	case os.Getenv(RequireEnv) != "":
		tb.Fatal(missing)
	default:
		tb.Skip("LEFT OUT, because " + missing)
	}
	return c
}

func missingTerraform(found Found, minor int) string {
	text := fmt.Sprintf("there is no Terraform 1.%d or newer", minor)
	if found.Terraform.Path != "" {
		text += fmt.Sprintf(", only %s", found.Terraform)
	}
	return text + fmt.Sprintf(": set %s to the path of one, or put it on PATH as terraform-1.%d", NewerEnv, max(minor, QueryAndActions))
}

func missingOpenTofu(found Found, minor int) string {
	text := fmt.Sprintf("there is no OpenTofu 1.%d or newer", minor)
	if found.OpenTofu.Path != "" {
		text += fmt.Sprintf(", only %s", found.OpenTofu)
	}
	return text + ": put tofu on PATH"
}

// Report says with which clients the tests ran, and what was left out without one.
func Report(found Found) (lines []string) {
	for _, need := range []struct {
		client  Client
		minor   int
		tests   string
		missing string
	}{
		{found.Terraform, ImportByIdentity, "import by identity with the real Terraform", missingTerraform(found, ImportByIdentity)},
		{found.Terraform, QueryAndActions, "terraform query, actions and examples/actions with the real Terraform",
			missingTerraform(found, QueryAndActions)},
		{found.OpenTofu, OpenTofuEphemeral, "the quickstart with OpenTofu", missingOpenTofu(found, OpenTofuEphemeral)},
	} {
		if need.client.atLeast(need.minor) {
			lines = append(lines, fmt.Sprintf("with %s: %s", need.client, need.tests))
		} else {
			lines = append(lines, fmt.Sprintf("LEFT OUT: %s, because %s", need.tests, need.missing))
		}
	}
	return lines
}
