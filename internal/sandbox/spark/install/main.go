// Command install installs Apache Spark and Delta into a directory: pyspark from
// PyPI into a virtual environment, and Delta's jars from Maven Central with the Ivy
// that is part of Spark. It does nothing if both are installed.
package main

import (
	"context"
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

// deltaJars are Delta's. Spark includes everything else that Delta needs.
var deltaJars = []sparkdist.Jar{
	{Organisation: "io.delta", Name: "delta-spark_" + sparkdist.Scala, Version: sparkdist.Delta,
		SHA256: "538511702aae0ef6973a6a70af3d4543c9009f8edbed786a00737e2d3cd7f04e"},
	{Organisation: "io.delta", Name: "delta-storage", Version: sparkdist.Delta,
		SHA256: "9bdb9fb450f1e119eba53feb427f331b0d09072d26485b8273883ad72c9a2e1d"},
}

func (i installer) delta(ctx context.Context, java string) error {
	if err := os.RemoveAll(i.DeltaJars()); err != nil {
		return err
	}
	for _, jar := range deltaJars {
		if _, err := i.Fetch(ctx, java, jar, i.DeltaJars()); err != nil {
			return err
		}
	}
	return nil
}
