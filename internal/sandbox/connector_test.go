package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The connector of Databricks uses different protocols with and without pyarrow,
// so both are tested.
const (
	connectorPackage = "databricks-sql-connector==4.9.0"
	pyarrowPackage   = "pyarrow==26.0.1"
)

// skipLoudly skips a test that this machine cannot run, and prints why even
// without -v.
func skipLoudly(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("LYTICS_TEST_REQUIRE_PYTHON") != "" {
		t.Fatal(why)
	}
	_, _ = fmt.Fprintf(os.Stderr, "\n*** LEFT OUT: %s: %s ***\n", t.Name(), why)
	t.Skip(why)
}

// python returns a Python interpreter with the connector, and a directory with
// pyarrow. Both stay in build/ for later runs.
func python(t *testing.T) (interpreter, pyarrow string) {
	t.Helper()
	found, err := exec.LookPath("python3")
	if err != nil {
		skipLoudly(t, "python3 is not on PATH")
	}
	build, err := filepath.Abs("build")
	if err != nil {
		t.Fatal(err)
	}
	name := strings.NewReplacer("==", "-").Replace(connectorPackage + "-" + pyarrowPackage)
	dir := filepath.Join(build, name)
	interpreter, pyarrow = filepath.Join(dir, "bin", "python"), filepath.Join(dir, "pyarrow")
	complete := filepath.Join(dir, "complete")
	if _, err := os.Stat(complete); err == nil {
		return interpreter, pyarrow
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(found, "-m", "venv", dir).CombinedOutput(); err != nil {
		skipLoudly(t, fmt.Sprintf("python3 -m venv does not work on this machine (%v): %s", err, out))
	}
	for _, args := range [][]string{{connectorPackage}, {"--target", pyarrow, pyarrowPackage}} {
		args = append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check"}, args...)
		if out, err := exec.Command(interpreter, args...).CombinedOutput(); err != nil {
			t.Fatalf("pip install: %v\n%s", err, out)
		}
	}
	if err := os.WriteFile(complete, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return interpreter, pyarrow
}

func TestPythonConnector(t *testing.T) {
	t.Parallel()
	interpreter, pyarrow := python(t)
	for _, c := range []struct{ results, pyarrow string }{
		{"auto", "0"}, // without pyarrow, every format is columns
		{"auto", "1"}, {"arrow", "1"}, {"cloudfetch", "1"}, {"column", "1"},
	} {
		t.Run(c.results+"/pyarrow="+c.pyarrow, func(t *testing.T) {
			t.Parallel()
			// Without Arrow the connector takes a minute for 20,000 rows.
			rows := 20_000
			if c.pyarrow == "0" || c.results == "column" {
				rows = 2_000
			}
			to := serve(t, "-seed", "-seed-rows", fmt.Sprint(rows), "-results", c.results)
			cmd := exec.CommandContext(t.Context(), interpreter, filepath.Join("testdata", "connector.py"))
			cmd.Env = append(os.Environ(), "SANDBOX_URL="+to.URL, "SANDBOX_HTTP_PATH="+to.HTTPPath,
				"SANDBOX_TOKEN="+to.Token, fmt.Sprintf("SANDBOX_ROWS=%d", rows), "PYARROW="+c.pyarrow, "PYTHONPATH=")
			if c.pyarrow == "1" {
				cmd.Env = append(cmd.Env, "PYTHONPATH="+pyarrow)
			}
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "\ndone\n") {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}
