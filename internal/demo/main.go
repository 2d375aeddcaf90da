// Command demo shows the whole product on one machine: it starts the sandbox
// warehouse, applies a configuration of examples/ with the real Terraform, and
// reads the results through the Databricks driver.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\nThe demo failed:", err)
		os.Exit(1)
	}
}

// demo is a configuration, and functions that show its results.
type demo struct {
	title string
	// example is the directory of the configuration in examples/.
	example string
	// sandboxArgs are arguments of the sandbox that create the data.
	sandboxArgs []string
	// show reads and prints the results.
	show func(context.Context, *session) error
	// then continues with a runner; nil if the demo has no second part.
	then func(context.Context, *session, *runner) error
}

// session is the state that the steps of a demo share.
type session struct {
	provider string
	dir      string // the copy of the configuration, with the state and .lytics
	sandbox  sandbox
	steps    []step
}

type step struct {
	name string
	took time.Duration
}

func run(ctx context.Context) (err error) {
	provider := flag.String("provider", "build/terraform-provider-lytics", "the provider's binary")
	sandboxBinary := flag.String("sandbox", "build/sandbox", "the sandbox's binary")
	purchases := flag.String("purchases", "", "use real purchases: the directory of transactions.parquet")
	rows := flag.Int("rows", 100_000, "number of customers")
	engine := flag.String("engine", "duckdb", "the sandbox's engine: duckdb or spark")
	sparkHome := flag.String("spark-home", "build/spark", "the directory that make spark filled")
	keep := flag.Bool("keep", false, "keep the runner and its page running until Ctrl-C")
	flag.Parse()

	d := quickstart(*rows)
	if *purchases != "" {
		if d, err = purchasesDemo(*purchases); err != nil {
			return err
		}
	}
	if *engine == "spark" {
		d.sandboxArgs = append(d.sandboxArgs, "-engine", "spark", "-spark-home", *sparkHome)
	}
	started := time.Now()
	s := &session{}
	if s.provider, err = filepath.Abs(*provider); err != nil {
		return err
	}
	if s.dir, err = prepare(d.example, filepath.Dir(s.provider)); err != nil {
		return err
	}
	heading(d.title)
	begin := time.Now()
	printLine("starting and filling a local SQL warehouse and S3")
	if s.sandbox, err = startSandbox(ctx, *sandboxBinary, d.sandboxArgs); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.sandbox.Stop()) }()
	s.addStep("warehouse started and filled", time.Since(begin))
	printLine("the warehouse listens on %s:%d%s, S3 on %s", s.sandbox.Host, s.sandbox.Port, s.sandbox.HTTPPath, s.sandbox.S3.Endpoint)

	heading("terraform apply")
	if err := s.apply(ctx); err != nil {
		return err
	}
	heading("terraform apply, again")
	if err := s.applyAgain(ctx); err != nil {
		return err
	}
	heading("Results")
	if err := s.runs(ctx); err != nil {
		return err
	}
	if err := d.show(ctx, s); err != nil {
		return err
	}
	var r *runner
	if d.then != nil {
		heading("Kept updated by a runner")
		begin := time.Now()
		var dir string
		if dir, err = prepare("kept-updated", filepath.Dir(s.provider)); err != nil {
			return err
		}
		if r, err = s.startRunner(ctx, dir); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.stop()) }()
		if err := d.then(ctx, s, r); err != nil {
			return err
		}
		s.addStep("kept updated by a runner", time.Since(begin))
	}
	heading("Durations")
	s.addStep("total", time.Since(started))
	for _, step := range s.steps {
		fmt.Printf("  %-42s %8.1f s\n", step.name, step.took.Seconds())
	}
	if r != nil {
		return r.page(ctx, *keep)
	}
	return nil
}

func (s *session) addStep(name string, d time.Duration) { s.steps = append(s.steps, step{name, d}) }

// prepare copies the example into the build directory, so that the demo leaves
// no state in examples/ and starts from scratch.
func prepare(example, build string) (string, error) {
	dir := filepath.Join(build, "demo", example)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join("examples", example, "*.tf"))
	if err != nil {
		return "", err
	}
	if len(files) == 0 {
		return "", fmt.Errorf("examples/%s has no configuration: run the demo from the repository's root", example)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(f)), text, 0o600); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func heading(text string) { fmt.Printf("\n\x1b[1m%s\x1b[0m\n", text) }

func printLine(format string, args ...any) { fmt.Printf("  "+format+"\n", args...) }
