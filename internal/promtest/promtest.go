// Package promtest runs promtool, the tool of Prometheus, for tests. Debian's package
// prometheus has it.
//
// Without promtool the tests are skipped. With LYTICS_TEST_REQUIRE_PROMTOOL=1 they fail
// instead, so that CI cannot skip them unnoticed.
package promtest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// RequireEnv names the variable that makes a missing promtool a failure.
const RequireEnv = "LYTICS_TEST_REQUIRE_PROMTOOL"

// Run executes promtool with a standard input, and fails the test with its output if
// promtool finds a fault. It returns the output.
func Run(tb testing.TB, input string, arguments ...string) string {
	tb.Helper()
	if testing.Short() {
		tb.Skip("LEFT OUT of make unit: it needs promtool, and make test runs it")
	}
	path, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv(RequireEnv) == "" {
			tb.Skip("LEFT OUT, because there is no promtool. Debian's package prometheus has it")
		}
		tb.Fatalf("promtool: %v", err)
	}
	cmd := exec.CommandContext(tb.Context(), path, arguments...)
	cmd.Stdin = strings.NewReader(input)
	output, err := cmd.CombinedOutput()
	if err != nil {
		tb.Errorf("promtool %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
	return string(output)
}
