// Package sparkdist defines which releases of Apache Spark and Delta `make spark`
// installs, where they are, and which Java runs them.
package sparkdist

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// The releases that the sandbox is tested with.
const (
	Spark = "4.0.1"
	Delta = "4.0.0"
	// Scala is the Scala version that both are built for.
	Scala = "2.13"
	// Java is the oldest Java that runs them.
	Java = 17
)

// Installation is a directory with Spark and Delta in it.
type Installation struct{ Dir string }

// Stamp is the file that marks a complete installation.
func (i Installation) Stamp() string { return filepath.Join(i.Dir, "installed") }

// Text returns the content of the stamp.
func (i Installation) Text() string { return fmt.Sprintf("pyspark %s\ndelta %s\n", Spark, Delta) }

// Venv is the Python virtual environment that pyspark is in.
func (i Installation) Venv() string { return filepath.Join(i.Dir, "venv") }

// DeltaJars is the directory of Delta's jars.
func (i Installation) DeltaJars() string { return filepath.Join(i.Dir, "jars") }

// SparkJars is the directory of Spark's jars.
func (i Installation) SparkJars() (string, error) {
	found, err := filepath.Glob(filepath.Join(i.Venv(), "lib", "python*", "site-packages", "pyspark", "jars"))
	if err != nil || len(found) != 1 {
		return "", errors.Join(fmt.Errorf("found %d directories of Spark jars below %s, want one: run `make spark`", len(found), i.Venv()), err)
	}
	return found[0], nil
}

// Check returns an error that says why Spark cannot run from here, or nil.
func (i Installation) Check() error {
	if i.Dir == "" {
		return errors.New("no directory of Apache Spark is given: `make spark` installs it into build/spark, and LYTICS_SPARK_HOME names the directory for tests")
	}
	text, err := os.ReadFile(i.Stamp())
	if err != nil || string(text) != i.Text() {
		return fmt.Errorf("Apache Spark %s with Delta %s is not in %s: run `make spark`", Spark, Delta, i.Dir)
	}
	_, err = i.SparkJars()
	return err
}

var version = regexp.MustCompile(`version "(\d+)(?:\.(\d+))?`)

// JavaPath returns the Java of JAVA_HOME, or else the one on PATH, if it is new enough.
func JavaPath(ctx context.Context) (string, error) {
	path := filepath.Join(os.Getenv("JAVA_HOME"), "bin", "java")
	if os.Getenv("JAVA_HOME") == "" {
		var err error
		if path, err = exec.LookPath("java"); err != nil {
			return "", fmt.Errorf(
				"java is not on PATH, and JAVA_HOME is not set: install Java %d or newer, such as Debian's openjdk-%d-jre-headless",
				Java,
				Java,
			)
		}
	}
	out, err := exec.CommandContext(ctx, path, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s -version: %w: %s", path, err, strings.TrimSpace(string(out)))
	}
	m := version.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("%s -version prints no version: %s", path, strings.TrimSpace(string(out)))
	}
	if major, err := strconv.Atoi(string(m[1])); err != nil || major < Java {
		return "", fmt.Errorf(
			"%s is Java %s; Spark %s needs %d or newer: install one, such as Debian's openjdk-%d-jre-headless, and set JAVA_HOME to it",
			path,
			m[1],
			Spark,
			Java,
			Java,
		)
	}
	return path, nil
}
