package sandboxtest

import (
	"fmt"
	"os"
	"sync"
)

// The environment chooses the engine of all sandboxes: EngineEnv is duckdb (the
// default) or spark, and SparkHomeEnv the folder that `make spark` filled.
const (
	EngineEnv    = "LYTICS_SANDBOX_ENGINE"
	SparkHomeEnv = "LYTICS_SPARK_HOME"
)

// Spark reports whether sandboxes run on a real Spark.
func Spark() bool { return os.Getenv(EngineEnv) == "spark" }

// keeper is the sandbox that started the one Spark which the others of a test
// binary share: a Java machine for each would be too much. It ends with the
// test binary.
var keeper = sync.OnceValues(func() (*Sandbox, error) {
	s := &Sandbox{output: &output{}}
	return s, s.launch("-engine", "spark", "-spark-home", os.Getenv(SparkHomeEnv))
})

// engineArgs make a sandbox use the engine that the environment chose.
func engineArgs() ([]string, error) {
	if !Spark() {
		return nil, nil
	}
	k, err := keeper()
	if err != nil {
		return nil, fmt.Errorf("starting the shared Spark: %w", err)
	}
	return []string{"-engine", "spark", "-spark-url", k.sparkURL}, nil
}
