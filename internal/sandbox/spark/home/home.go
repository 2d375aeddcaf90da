// Package home knows where `make spark` puts Apache Spark and Delta, which
// releases they are, and which Java runs them.
package home

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

// The releases that the sandbox is held to.
const (
	Spark = "4.0.1"
	Delta = "4.0.0"
	// Scala is the Scala release that both are built for.
	Scala = "2.13"
	// Java is the oldest Java that runs them.
	Java = 17
)

// Home is a folder with Spark and Delta in it.
type Home struct{ Dir string }

// Stamp is the file that says that all is there.
func (h Home) Stamp() string { return filepath.Join(h.Dir, "installed") }

// Text is what the stamp holds.
func (h Home) Text() string { return fmt.Sprintf("pyspark %s\ndelta %s\n", Spark, Delta) }

// Venv is the Python virtual environment that pyspark is in.
func (h Home) Venv() string { return filepath.Join(h.Dir, "venv") }

// DeltaJars is the folder of Delta's jars.
func (h Home) DeltaJars() string { return filepath.Join(h.Dir, "jars") }

// SparkJars is the folder of Spark's jars.
func (h Home) SparkJars() (string, error) {
	found, err := filepath.Glob(filepath.Join(h.Venv(), "lib", "python*", "site-packages", "pyspark", "jars"))
	if err != nil || len(found) != 1 {
		return "", errors.Join(fmt.Errorf("%d folders of Spark jars below %s: run `make spark`", len(found), h.Venv()), err)
	}
	return found[0], nil
}

// Check returns why Spark cannot run from here, or nil.
func (h Home) Check() error {
	text, err := os.ReadFile(h.Stamp())
	if err != nil || string(text) != h.Text() {
		return fmt.Errorf("Apache Spark %s with Delta %s is not in %s: run `make spark`", Spark, Delta, h.Dir)
	}
	_, err = h.SparkJars()
	return err
}

var version = regexp.MustCompile(`version "(\d+)(?:\.(\d+))?`)

// JavaPath finds a Java that is new enough: of JAVA_HOME, else on PATH.
func JavaPath(ctx context.Context) (string, error) {
	path := filepath.Join(os.Getenv("JAVA_HOME"), "bin", "java")
	if os.Getenv("JAVA_HOME") == "" {
		var err error
		if path, err = exec.LookPath("java"); err != nil {
			return "", fmt.Errorf("there is no java on PATH, and JAVA_HOME is not set: install Java %d or newer, such as Debian's openjdk-%d-jre-headless", Java, Java)
		}
	}
	out, err := exec.CommandContext(ctx, path, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s -version: %w: %s", path, err, strings.TrimSpace(string(out)))
	}
	m := version.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("%s -version says nothing that looks like a version: %s", path, strings.TrimSpace(string(out)))
	}
	if major, err := strconv.Atoi(string(m[1])); err != nil || major < Java {
		return "", fmt.Errorf("%s is Java %s; Spark %s needs %d or newer: install one, such as Debian's openjdk-%d-jre-headless, and name it in JAVA_HOME", path, m[1], Spark, Java, Java)
	}
	return path, nil
}
