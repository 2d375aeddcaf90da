package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"syscall"
	"time"
)

// childArgument is the argument that makes the binary execute one measurement.
const childArgument = "child"

// work is the task of a child process.
type work struct {
	Kind    string
	Sandbox *sandbox
	Dir     string
	Table   string
	Rows    int
	// Gzip compresses the floor's text.
	Gzip bool
	// Mapped builds profiles from the events.
	Mapped bool
	// Lytics has the URLs and the token of the stand-in; nil means the embedded
	// platform.
	Lytics *lyticsAccount
	// Lookback is the lookback of the import; 0 means the default.
	Lookback time.Duration
	// Scratch is the import's schema for copies; empty for none.
	Scratch string
	// Profile is a file for the child's CPU profile; empty for none.
	Profile string
	// Name distinguishes the jobs of one store, or the runners.
	Name string
	// Database is the URL of the runner's store in PostgreSQL.
	Database string
}

type lyticsAccount struct{ APIURL, BulkURL, Token string }

// result is the result of a child process, with its time and memory.
type result struct {
	Rows int64
	// Seconds is the wall time of the measured part.
	Seconds float64
	// CPU is the user and system time of the measured part, or of the whole
	// process if the child reports none. Memory is the peak of the process, in
	// bytes.
	CPU    float64
	Memory int64
	// Bytes and Packed are the bytes of the rows, without and with compression.
	Bytes, Packed int64 `json:",omitempty"`
	// Done and Total are the progress of a running child.
	Done, Total int64 `json:",omitempty"`
	Final       bool
	Error       string `json:",omitempty"`
}

func (r result) perCPU() float64 { return float64(r.Rows) / r.CPU }

// child is the main function of a measurement's process. It prints the result.
func child(args []string) int {
	var w work
	out := json.NewEncoder(os.Stdout)
	fail := func(err error) int {
		_ = out.Encode(result{Final: true, Error: err.Error()})
		return 1
	}
	if len(args) != 1 {
		return fail(errors.New("a child takes its work as JSON"))
	}
	if err := json.Unmarshal([]byte(args[0]), &w); err != nil {
		return fail(err)
	}
	kinds := map[string]func(context.Context, work, func(result)) (result, error){
		"floor-json":      floorJSON,
		"floor-csv":       floorCSV,
		"import":          importRows,
		"export":          exportRows,
		"export-prepared": exportPrepared,
		"floor-arrow":     floorArrow,
		"floor-scan":      floorScan,
		"floor-segments":  floorSegments,
		"events":          printEvents,
		"events-runner":   printRunnersEvents,
		"scan":            scanRows,
		"idle":            idleRunner,
		"due":             dueRunner,
		"fleet-runner":    fleetRunner,
	}
	do, ok := kinds[w.Kind]
	if !ok {
		return fail(fmt.Errorf("there is no work %q", w.Kind))
	}
	stop, err := profile(w.Profile)
	if err != nil {
		return fail(err)
	}
	r, err := do(context.Background(), w, func(r result) { _ = out.Encode(r) })
	if err := errors.Join(err, stop()); err != nil {
		return fail(err)
	}
	r.Final = true
	_ = out.Encode(r)
	return 0
}

// profile writes a CPU profile of the process until it is stopped.
func profile(file string) (stop func() error, err error) {
	if file == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// process runs a child until it ends. If killAt is above 0, it kills the child
// after that fraction of its rows, and returns the last result that the child
// printed.
func (b *bench) process(ctx context.Context, w work, killAt float64) (result, error) {
	if b.options.profiles != "" {
		b.profiled++
		w.Profile = filepath.Join(b.options.profiles, fmt.Sprintf("%02d-%s-%s.pprof", b.profiled, w.Kind, w.Table))
	}
	text, err := json.Marshal(w)
	if err != nil {
		return result{}, err
	}
	cmd := exec.CommandContext(ctx, b.self, childArgument, string(text))
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return result{}, err
	}
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	var last result
	killed := false
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if err := json.Unmarshal(lines.Bytes(), &last); err != nil {
			return last, errors.Join(fmt.Errorf("a child printed %q: %w", lines.Text(), err), cmd.Process.Kill(), cmd.Wait())
		}
		if killAt > 0 && !killed && last.Total > 0 && float64(last.Done) >= killAt*float64(last.Total) {
			killed = true
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				return last, err
			}
		}
	}
	err = cmd.Wait()
	if last.Error != "" {
		return last, errors.New(last.Error)
	}
	if killed {
		return last, nil
	}
	if err != nil {
		return last, err
	}
	if !last.Final {
		return last, errors.New("a child ended without a result")
	}
	if killAt > 0 {
		return last, fmt.Errorf("the child ended before it had reported %.0f %%; use more rows", killAt*100)
	}
	state := cmd.ProcessState
	if last.CPU == 0 {
		last.CPU = (state.UserTime() + state.SystemTime()).Seconds()
	}
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		last.Memory = peak(usage)
	}
	return last, nil
}

// best repeats a short measurement and returns the best result, the one that
// other work on the machine disturbed least.
func (b *bench) best(ctx context.Context, w work) (result, error) {
	var best result
	for i := range b.options.runs {
		if w.Dir != "" {
			if err := os.RemoveAll(w.Dir); err != nil {
				return best, err
			}
		}
		r, err := b.process(ctx, w, 0)
		if err != nil {
			return best, err
		}
		if i == 0 || r.CPU < best.CPU {
			r.Seconds = min(r.Seconds, orElse(best.Seconds, r.Seconds))
			best = r
		} else {
			best.Seconds = min(best.Seconds, r.Seconds)
		}
	}
	return best, nil
}

func orElse(v, otherwise float64) float64 {
	if v == 0 {
		return otherwise
	}
	return v
}

// stopwatch measures a part of this process.
type stopwatch struct {
	begun time.Time
	cpu   float64
}

func startWatch() stopwatch { return stopwatch{time.Now(), cpuTime()} }

func (s stopwatch) stop(rows int64) result {
	return result{Rows: rows, Seconds: time.Since(s.begun).Seconds(), CPU: cpuTime() - s.cpu}
}

func cpuTime() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
