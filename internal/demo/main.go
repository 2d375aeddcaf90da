// Command demo shows the whole product on one machine: it starts the sandbox
// warehouse, applies a configuration of examples/ with the real Terraform, and
// reads the results through the Databricks driver.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
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
	// prepare looks at the data and writes the variables of the configuration into its
	// directory; nil if the configuration has none.
	prepare func(context.Context, *session) error
	// show reads and prints the results.
	show func(context.Context, *session) error
	// then continues with a runner; nil if the demo has no second part.
	then func(context.Context, *session, *runner) error
	// thenExample is the configuration of the second part, and thenDir the name of the
	// directory that gets a copy.
	thenExample, thenDir string
	// next says what to do after the demo; nil for nothing.
	next func(*session)
	// variables are those with which make was called.
	variables string
}

// session is the state that the steps of a demo share.
type session struct {
	provider string
	dir      string // the copy of the configuration, with the state and .lytics
	sandbox  sandbox
	listen   string // the address of the runner, or empty
	steps    []step
	out      screen
}

type step struct {
	name string
	took time.Duration
}

// settings are the flags of the demo.
type settings struct {
	provider, sandbox, engine, sparkHome   string
	examples, dir, listen                  string
	purchases, data, timestamp, identifier string
	rows                                   int
	keep                                   bool
}

func parse(args []string) (o settings, err error) {
	f := flag.NewFlagSet("demo", flag.ContinueOnError)
	f.StringVar(&o.provider, "provider", "build/terraform-provider-lytics", "the provider's binary")
	f.StringVar(&o.sandbox, "sandbox", "build/sandbox", "the sandbox's binary")
	f.StringVar(&o.examples, "examples", "examples", "the directory of the configurations")
	f.StringVar(&o.dir, "dir", "", "the directory for copies of the configurations, states and stores; by default demo, beside the provider's binary")
	f.StringVar(&o.purchases, "purchases", "", "use real purchases: the directory of transactions.parquet")
	f.StringVar(&o.data, "data", "", "use your own data: a CSV or Parquet file")
	f.StringVar(&o.timestamp, "timestamp", "", "with -data: the column by which new and changed rows are found")
	f.StringVar(&o.identifier, "identifier", "", "with -data: the column whose values identify a person")
	f.IntVar(&o.rows, "rows", 100_000, "number of customers")
	f.StringVar(&o.engine, "engine", "duckdb", "the sandbox's engine: duckdb or spark")
	f.StringVar(&o.sparkHome, "spark-home", "build/spark", "the directory that make spark filled")
	f.StringVar(&o.listen, "listen", "", "the address of the runner and its page; by default the runner's own, or a free one if that is in use")
	f.BoolVar(&o.keep, "keep", false, "keep the runner and its page running until Ctrl-C")
	return o, f.Parse(args)
}

// demo chooses the demo that the flags name.
func (o settings) demo() (d demo, err error) {
	switch {
	case o.data != "":
		d, err = ownDataDemo(o.data, o.timestamp, o.identifier)
	case o.purchases != "":
		d, err = purchasesDemo(o.purchases)
	default:
		d = quickstart(o.rows)
	}
	if o.engine == "spark" {
		d.sandboxArgs = append(d.sandboxArgs, "-engine", "spark", "-spark-home", o.sparkHome)
	}
	return d, err
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	d, err := o.demo()
	if err != nil {
		return err
	}
	started := time.Now()
	s := &session{out: newScreen(stdout), listen: o.listen}
	if s.provider, err = filepath.Abs(o.provider); err != nil {
		return err
	}
	if o.dir == "" {
		o.dir = filepath.Join(filepath.Dir(s.provider), "demo")
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	if s.dir, err = o.copyExample(d.example, d.example); err != nil {
		return err
	}
	s.out.heading(d.title)
	begin := time.Now()
	s.out.line("starting and filling a local SQL warehouse with a volume")
	if s.sandbox, err = startSandbox(ctx, o.sandbox, d.sandboxArgs, s.out); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.sandbox.Stop()) }()
	s.addStep("warehouse started and filled", time.Since(begin))
	s.out.line("the warehouse listens on %s:%d%s", s.sandbox.Host, s.sandbox.Port, s.sandbox.HTTPPath)

	if d.prepare != nil {
		if err := d.prepare(ctx, s); err != nil {
			return err
		}
	}

	s.out.heading("terraform apply")
	if err := s.apply(ctx); err != nil {
		return err
	}
	s.out.heading("terraform apply, again")
	if err := s.applyAgain(ctx); err != nil {
		return err
	}
	s.out.heading("Results")
	if err := s.runs(ctx); err != nil {
		return err
	}
	if err := d.show(ctx, s); err != nil {
		return err
	}
	var r *runner
	if d.then != nil {
		s.out.heading("Kept updated by a runner")
		begin := time.Now()
		var dir string
		if dir, err = o.copyExample(d.thenExample, d.thenDir); err != nil {
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
	s.out.heading("Durations")
	s.addStep("total", time.Since(started))
	for _, step := range s.steps {
		s.out.print("  %-42s %8.1f s\n", step.name, step.took.Seconds())
	}
	if d.next != nil {
		d.next(s)
	}
	if r != nil {
		return r.page(ctx, o.keep, "make demo"+d.variables+" KEEP=1")
	}
	return nil
}

func (s *session) addStep(name string, d time.Duration) { s.steps = append(s.steps, step{name, d}) }

// copyExample copies an example into a directory of the demo, so that the demo leaves no
// state in examples/ and starts from scratch.
func (o settings) copyExample(example, name string) (string, error) {
	dir := filepath.Join(o.dir, name)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(o.examples, example, "*.tf"))
	if err != nil {
		return "", err
	}
	if len(files) == 0 {
		return "", fmt.Errorf("%s has no configuration: run the demo from the repository's root", filepath.Join(o.examples, example))
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
