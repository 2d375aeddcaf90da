package sandboxtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The environment chooses the engine of all sandboxes: EngineEnv is duckdb (the
// default) or spark, SparkHomeEnv the directory that `make spark` filled, and
// SparkURLEnv a Spark that runs already, which is quicker than starting one.
// CompareEnv is a file for what DuckDB answers otherwise than Spark.
const (
	EngineEnv    = "LYTICS_SANDBOX_ENGINE"
	SparkHomeEnv = "LYTICS_SPARK_HOME"
	SparkURLEnv  = "LYTICS_SPARK_URL"
	CompareEnv   = "LYTICS_SANDBOX_COMPARE"
)

// Spark reports whether sandboxes run on a real Spark.
func Spark() bool { return os.Getenv(EngineEnv) == "spark" }

// sparkHome is where `make spark` installs, unless the environment names another
// directory.
func sparkHome() string {
	if dir := os.Getenv(SparkHomeEnv); dir != "" {
		return dir
	}
	root, err := RepositoryRoot()
	if err != nil {
		return ""
	}
	return filepath.Join(root, "build", "spark")
}

// sparkOwner is the sandbox that started the Spark which all sandboxes of a test
// binary share: one Java process for each would need too much memory. It ends with the
// test binary.
var sparkOwner = sync.OnceValues(func() (*Sandbox, error) {
	s := &Sandbox{output: &output{}}
	return s, s.launch("-engine", "spark", "-spark-home", sparkHome())
})

// engineArgs make a sandbox use the engine that the environment chose.
func (o options) engineArgs() ([]string, error) {
	if o.ownSpark {
		return []string{"-engine", "spark", "-spark-home", sparkHome()}, nil
	}
	if !Spark() {
		return nil, nil
	}
	url := os.Getenv(SparkURLEnv)
	if url == "" {
		k, err := sparkOwner()
		if err != nil {
			return nil, fmt.Errorf("starting the shared Spark: %w", err)
		}
		url = k.sparkURL
	}
	args := []string{"-engine", "spark", "-spark-url", url}
	if file := os.Getenv(CompareEnv); file != "" {
		args = append(args, "-compare", file)
	}
	return args, nil
}

// WithOwnSpark gives a sandbox a Spark of its own, which a test may kill.
func WithOwnSpark() Option {
	return func(o *options) { o.ownSpark = true }
}

// KillSpark kills the Spark of a sandbox that has its own, as a crash of the
// warehouse would; the sandbox stays, and starts another for the next session.
func (s *Sandbox) KillSpark(tb testing.TB) {
	tb.Helper()
	// The Java process whose command line names the sandbox's data.
	out, err := exec.CommandContext(tb.Context(), "pgrep", "-f", "java .*"+s.data).Output()
	if err != nil {
		tb.Fatalf("finding the Java process of %s: %v", s.data, err)
	}
	for _, text := range strings.Fields(string(out)) {
		pid, err := strconv.Atoi(text)
		if err != nil {
			tb.Fatal(err)
		}
		if process, err := os.FindProcess(pid); err != nil || process.Kill() != nil {
			tb.Fatalf("killing Spark, process %d: %v", pid, err)
		}
	}
}
