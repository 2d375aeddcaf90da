// Command install puts Apache Spark and Delta into a folder: pyspark from the
// Python package index into a virtual environment, Delta's jars through Maven.
// Where both are there already it does nothing.
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

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/home"
)

func main() {
	dir := flag.String("dir", "", "the folder to install into")
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
		return errors.New("-dir is missing: name the folder to install into")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	h := home.Home{Dir: dir}
	java, err := home.JavaPath(ctx)
	if err != nil {
		return err
	}
	if h.Check() == nil {
		_, _ = fmt.Fprintf(out, "Spark %s with Delta %s is in %s\n", home.Spark, home.Delta, dir)
		return nil
	}
	_, _ = fmt.Fprintf(out, "installing Spark %s with Delta %s into %s (about 500 MB), for %s\n", home.Spark, home.Delta, dir, java)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	i := installer{Home: h, out: out}
	if err := i.spark(ctx); err != nil {
		return err
	}
	if err := i.delta(ctx); err != nil {
		return err
	}
	return os.WriteFile(h.Stamp(), []byte(h.Text()), 0o600)
}

type installer struct {
	home.Home
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
		return errors.New("there is no python3 on PATH: install Python 3, such as Debian's python3 and python3-venv")
	}
	if err := i.run(ctx, python, "-m", "venv", "--clear", i.Venv()); err != nil {
		return fmt.Errorf("make a virtual environment (Debian has python3-venv for it): %w", err)
	}
	return i.run(ctx, filepath.Join(i.Venv(), "bin", "python"), "-m", "pip", "install",
		"--quiet", "--no-input", "--disable-pip-version-check", "pyspark=="+home.Spark)
}

// project asks Maven for Delta. Spark itself is there, with all that Delta
// needs beside its own jars.
const project = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sandbox</groupId>
  <artifactId>delta</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>io.delta</groupId>
      <artifactId>delta-spark_%s</artifactId>
      <version>%s</version>
    </dependency>
  </dependencies>
</project>
`

func (i installer) delta(ctx context.Context) error {
	maven, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("there is no mvn on PATH, which fetches Delta's jars: install Maven, such as Debian's maven")
	}
	pom := filepath.Join(i.Dir, "pom.xml")
	if err := os.WriteFile(pom, fmt.Appendf(nil, project, home.Scala, home.Delta), 0o600); err != nil {
		return err
	}
	if err := os.RemoveAll(i.DeltaJars()); err != nil {
		return err
	}
	if err := i.run(ctx, maven, "--batch-mode", "--quiet", "--file", pom,
		"org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies",
		"-DincludeGroupIds=io.delta", "-DoutputDirectory="+i.DeltaJars()); err != nil {
		return err
	}
	for _, name := range []string{"delta-spark_" + home.Scala, "delta-storage"} {
		jar := filepath.Join(i.DeltaJars(), name+"-"+home.Delta+".jar")
		if _, err := os.Stat(jar); err != nil {
			return fmt.Errorf("Maven ended well, yet there is no %s", jar)
		}
	}
	return nil
}
