// Command install installs Apache Spark and Delta into a directory: pyspark from
// PyPI into a virtual environment, and Delta's jars from Maven Central with the Ivy
// that is part of Spark. It does nothing if both are installed.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/sparkdist"
)

func main() {
	dir := flag.String("dir", "", "the directory to install into")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := install(ctx, *dir, os.Stderr)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "install Spark:", err)
		os.Exit(1)
	}
}

func install(ctx context.Context, dir string, out io.Writer) error {
	if dir == "" {
		return errors.New("-dir is missing: name the directory to install into")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	h := sparkdist.Installation{Dir: dir}
	java, err := sparkdist.JavaPath(ctx)
	if err != nil {
		return err
	}
	if h.Check() == nil {
		_, _ = fmt.Fprintf(out, "Spark %s with Delta %s is in %s\n", sparkdist.Spark, sparkdist.Delta, dir)
		return nil
	}
	_, _ = fmt.Fprintf(out, "installing Spark %s with Delta %s into %s (about 500 MB), for %s\n", sparkdist.Spark, sparkdist.Delta, dir, java)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	i := installer{Installation: h, out: out}
	if err := i.spark(ctx); err != nil {
		return err
	}
	if err := i.delta(ctx, java); err != nil {
		return err
	}
	return os.WriteFile(h.Stamp(), []byte(h.Text()), 0o600)
}

type installer struct {
	sparkdist.Installation
	out io.Writer
}

func (i installer) run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = i.Dir, i.out, i.out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", cmd, err)
	}
	return nil
}

func (i installer) spark(ctx context.Context) error {
	python, err := exec.LookPath("python3")
	if err != nil {
		return errors.New("python3 is not on PATH: install Python 3, such as Debian's python3 and python3-venv")
	}
	if err := i.run(ctx, python, "-m", "venv", "--clear", i.Venv()); err != nil {
		return fmt.Errorf("create a virtual environment (Debian has python3-venv for it): %w", err)
	}
	return i.run(ctx, filepath.Join(i.Venv(), "bin", "python"), "-m", "pip", "install",
		"--quiet", "--no-input", "--disable-pip-version-check", "pyspark=="+sparkdist.Spark)
}

// jars are Delta's jars, with their SHA-256. Spark includes everything else that
// Delta needs.
var jars = map[string]string{
	"delta-spark_" + sparkdist.Scala: "538511702aae0ef6973a6a70af3d4543c9009f8edbed786a00737e2d3cd7f04e",
	"delta-storage":                  "9bdb9fb450f1e119eba53feb427f331b0d09072d26485b8273883ad72c9a2e1d",
}

func (i installer) delta(ctx context.Context, java string) error {
	spark, err := i.SparkJars()
	if err != nil {
		return err
	}
	ivy, err := filepath.Glob(filepath.Join(spark, "ivy-*.jar"))
	if err != nil || len(ivy) != 1 {
		return errors.Join(fmt.Errorf("found %d jars of Ivy in %s, want one, to download Delta with", len(ivy), spark), err)
	}
	cache := filepath.Join(i.Dir, "ivy")
	if err := errors.Join(os.RemoveAll(i.DeltaJars()), os.RemoveAll(cache)); err != nil {
		return err
	}
	for name, sum := range jars {
		if err := i.run(ctx, java, "-jar", ivy[0], "-warn", "-cache", cache, "-dependency", "io.delta", name, sparkdist.Delta,
			"-notransitive", "-types", "jar", "-retrieve", filepath.Join(i.DeltaJars(), "[artifact]-[revision].[ext]")); err != nil {
			return fmt.Errorf("fetch %s from Maven Central: %w", name, err)
		}
		jar := filepath.Join(i.DeltaJars(), name+"-"+sparkdist.Delta+".jar")
		content, err := os.ReadFile(jar)
		if err != nil {
			return fmt.Errorf("Ivy succeeded but downloaded no jar: %w", err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(content)); got != sum {
			return fmt.Errorf("%s has the SHA-256 %s, not %s: it is not the released Delta %s", jar, got, sum, sparkdist.Delta)
		}
	}
	return os.RemoveAll(cache)
}
