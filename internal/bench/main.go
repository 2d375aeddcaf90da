// Command bench measures imports, exports and a plan on this machine and writes
// docs/benchmarks.md with its chart. Each figure is a ratio to a floor: a program
// that does only the unavoidable work, on the same machine in the same minute.
// Figures of different machines can therefore be compared.
//
// Every measurement runs in a separate process, so that its CPU time and peak
// memory exclude the sandbox and earlier measurements.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == childArgument {
		os.Exit(child(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one execution of the benchmarks.
type bench struct {
	self    string
	options options
	dir     string
	// sandbox is the sandbox on DuckDB, spark the one on Spark; nil until needed.
	sandbox, spark *sandbox
	figures        []figure
	sections       []section
	// profiled is the number of written CPU profiles.
	profiled int
}

type options struct {
	sandbox, lytics, sparkHome string
	provider, baseline         string
	rows                       int
	large                      int
	only                       string
	out, profiles              string
	runs                       int
}

// measurements are the measurements in the order of the report.
var measurements = []struct {
	name    string
	measure func(context.Context, *bench) error
}{
	{"import", measureImport},
	{"events", measureEvents},
	{"http", measureHTTP},
	{"export", measureExport},
	{"network", measureNetwork},
	{"large", measureLarge},
	{"incremental", measureIncremental},
	{"first-load", measureFirstLoad},
	{"resume", measureResume},
	{"resume-spark", measureResumeSpark},
	{"feed-spark", measureFeedSpark},
	{"runner", measureRunner},
	{"fleet", measureFleet},
	{"plan", measurePlan},
}

func run(ctx context.Context) (err error) {
	var o options
	flag.StringVar(&o.sandbox, "sandbox", "build/sandbox", "the sandbox's binary")
	flag.StringVar(&o.lytics, "lytics", "build/lyticstest", "the binary of the stand-in for Lytics")
	flag.StringVar(&o.sparkHome, "spark-home", "build/spark", "the directory that make spark filled; without it, nothing is measured on Spark")
	flag.StringVar(&o.provider, "provider", "build/terraform-provider-lytics", "the provider's binary")
	flag.StringVar(&o.baseline, "baseline", "", "the binary of an earlier commit's provider, to compare plans with; empty measures no plan")
	flag.IntVar(&o.rows, "rows", 1_000_000, "rows of a usual import and export")
	flag.IntVar(&o.large, "large", 20_000_000, "rows of the largest import; time is compared at half of it")
	flag.StringVar(&o.only, "only", "", "only these figures, separated by commas: "+names())
	flag.StringVar(&o.out, "out", "docs", "folder for benchmarks.md and benchmarks.svg; empty writes nothing")
	flag.StringVar(&o.profiles, "profiles", "", "folder for a CPU profile of each measurement (go tool pprof); empty writes none")
	flag.IntVar(&o.runs, "runs", 3, "repetitions of short measurements; the best one counts, for floors too")
	flag.Parse()
	if o.only != "" {
		for _, name := range strings.Split(o.only, ",") {
			if !strings.Contains(","+names()+",", ","+name+",") {
				return fmt.Errorf("there is no figure %q; they are %s", name, names())
			}
		}
	}
	b := &bench{options: o}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "lytics-bench"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for _, m := range measurements {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), m.name) {
			continue
		}
		fmt.Printf("\n%s\n", m.name)
		if err := m.measure(ctx, b); err != nil {
			return fmt.Errorf("measuring %s: %w", m.name, err)
		}
	}
	fmt.Println()
	b.print(os.Stdout)
	if o.out == "" || o.only != "" {
		return nil
	}
	return b.write(filepath.Join(o.out, "benchmarks.md"), filepath.Join(o.out, "benchmarks.svg"))
}

func names() string {
	all := make([]string, len(measurements))
	for i, m := range measurements {
		all[i] = m.name
	}
	return strings.Join(all, ",")
}

func (b *bench) close() error {
	var errs []error
	for _, s := range []*sandbox{b.sandbox, b.spark} {
		if s != nil {
			errs = append(errs, s.Stop())
		}
	}
	return errors.Join(append(errs, os.RemoveAll(b.dir))...)
}

// figure is a measured ratio and its goal.
type figure struct {
	Name, Floor string
	// Measured and Base are the measured rate or time and the floor's, in Unit.
	Measured, Base float64
	Unit           string
	Ratio          float64
	// Goal is the bound of Ratio, and AtLeast its direction; 0 means no goal.
	Goal    float64
	AtLeast bool
	Note    string
}

func (f figure) met() bool {
	switch {
	case f.Goal == 0:
		return true
	case f.AtLeast:
		return f.Ratio >= f.Goal
	}
	return f.Ratio <= f.Goal
}

func (b *bench) add(f figure) {
	b.figures = append(b.figures, f)
	fmt.Println("  " + f.line())
	if f.Note != "" {
		fmt.Println("    " + f.Note)
	}
}

func (f figure) goal() string {
	if f.Goal == 0 {
		return "stated"
	}
	if f.AtLeast {
		return fmt.Sprintf(">= %g", f.Goal)
	}
	return fmt.Sprintf("<= %g", f.Goal)
}

func (f figure) line() string {
	return fmt.Sprintf("%-52s %10s / %-10s = %6.3f  (goal %s)", f.Name, amount(f.Measured, f.Unit), amount(f.Base, f.Unit), f.Ratio, f.goal())
}
