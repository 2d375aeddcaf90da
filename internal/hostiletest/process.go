package hostiletest

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// maxPeak is the memory in bytes that a process may need at most, whatever it is answered.
const maxPeak = 512_000_000

// childVariable is the environment variable with the name of the test that a child runs.
const childVariable = "LYTICS_TEST_HOSTILE"

// InProcess runs a test in a process of its own, and fails it if the process needed more
// memory than maxPeak. Other tests of the binary do not count. The caller has called
// t.Parallel.
func InProcess(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if os.Getenv(childVariable) == t.Name() {
		test(t)
		checkPeak(t)
		return
	}
	if testing.Short() {
		t.Skip("LEFT OUT: hostile answers, in a process of their own; make test runs them")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^"+regexp.QuoteMeta(t.Name())+"$", "-test.v",
		"-test.timeout="+flag.Lookup("test.timeout").Value.String())
	seedFile := filepath.Join(t.TempDir(), "seed")
	// The limit is for the garbage collection that the product has, not for that of the tests.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GOGC=") })
	cmd.Env = append(cmd.Env, childVariable+"="+t.Name(), seedFileVariable+"="+seedFile)
	out, err := cmd.CombinedOutput()
	if err != nil {
		if seed, missing := os.ReadFile(seedFile); missing == nil {
			t.Logf("the last seed was %s", seed)
		}
		// The stacks of all goroutines follow the cause of a crash; the failures of a test
		// follow what it printed.
		if middle := len(out) - 8<<10; middle > 0 {
			out = slices.Concat(out[:4<<10], []byte("\n...\n"), out[len(out)-4<<10:])
		}
		t.Fatalf("%v\n%s", err, out)
	}
	t.Log(string(regexp.MustCompile("peak: [0-9]+ MB").Find(out)))
}

var residentPeak = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

func checkPeak(t *testing.T) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	m := residentPeak.FindSubmatch(status)
	if err != nil || m == nil {
		t.Log("this system does not tell the peak of the memory")
		return
	}
	kilobytes, err := strconv.ParseInt(string(bytes.TrimSpace(m[1])), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("peak: %d MB", kilobytes*1024/1_000_000)
	if peak := kilobytes * 1024; peak > maxPeak && !raceDetector() {
		t.Errorf("the process needed %d MB, want at most %d MB", peak/1_000_000, maxPeak/1_000_000)
	}
}

// raceDetector reports whether the race detector is on, which multiplies the memory.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" && s.Value == "true" {
			return true
		}
	}
	return false
}
