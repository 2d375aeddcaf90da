// Command demo does the product's whole job on one machine and shows it: it
// starts the sandbox warehouse, runs the real Terraform on the configuration
// of examples/, and reads what came out back through the Databricks driver.
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

// demo is one demonstration: a configuration, and what to show of it.
type demo struct {
	title string
	// example is the directory of the configuration below examples/.
	example string
	// sandboxArgs make the data.
	sandboxArgs []string
	// show reads the results back.
	show func(context.Context, *session) error
	// then goes on with a runner; nil where nothing does.
	then func(context.Context, *session, *runner) error
}

// session is the state that the steps of a demo share.
type session struct {
	provider string
	dir      string // the configuration's copy: state and .lytics are made there
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
	purchases := flag.String("purchases", "", "do it on real purchases: the folder that holds transactions.parquet")
	rows := flag.Int("rows", 100_000, "customers to make")
	engine := flag.String("engine", "duckdb", "the sandbox's engine: duckdb or spark")
	sparkHome := flag.String("spark-home", "build/spark", "where make spark put it")
	keep := flag.Bool("keep", false, "leave the runner and its page until Ctrl-C")
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
	printLine("starting a local SQL warehouse and S3, and filling them")
	if s.sandbox, err = startSandbox(ctx, *sandboxBinary, d.sandboxArgs); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.sandbox.Stop()) }()
	s.addStep("warehouse started and filled", time.Since(begin))
	printLine("it listens on %s:%d%s; S3 on %s", s.sandbox.Host, s.sandbox.Port, s.sandbox.HTTPPath, s.sandbox.S3.Endpoint)

	heading("terraform apply")
	if err := s.apply(ctx); err != nil {
		return err
	}
	heading("terraform apply, again")
	if err := s.applyAgain(ctx); err != nil {
		return err
	}
	heading("What came out")
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
	heading("How long it took")
	s.addStep("all of it", time.Since(started))
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
// no state in examples/ and starts anew each time.
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
