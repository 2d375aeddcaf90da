package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/worker"
)

const (
	// workerArgument makes the test binary a worker process, and runnerArgument a
	// runner with such workers.
	workerArgument = "worker"
	runnerArgument = "runner"
	// version is that of the workers.
	version = "test"
	// canaryVariable is a variable of the tests' environment, with a secret. So are the
	// others: a worker that reads a token from crashVariable dies as by a malformed answer,
	// and with hangVariable it stands still.
	canaryVariable = "LYTICS_DATABRICKS_CANARY_TOKEN"
	crashVariable  = "LYTICS_DATABRICKS_CRASH_TOKEN"
	hangVariable   = "LYTICS_DATABRICKS_HANG_TOKEN"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == workerArgument || os.Args[1] == runnerArgument) {
		f := runWorker
		if os.Args[1] == runnerArgument {
			f = runRunner
		}
		if err := f(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	for _, name := range []string{canaryVariable, crashVariable, hangVariable} {
		if err := os.Setenv(name, canary); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m,
		// The PostgreSQL server of the tests runs until the test process ends.
		goleak.IgnoreAnyFunction("github.com/terraform-provider-lytics/terraform-provider-lytics/internal/pgtest/pgserver.(*Server).serve.func1"),
		goleak.IgnoreAnyFunction("bytes.(*Buffer).ReadFrom"), // of its output
		// The Databricks driver does not close the last response of a connection.
		goleak.IgnoreTopFunction("net/http.setRequestCancel.func4"))
}

// settings are the Setup.Settings of a test's workers.
type settings struct {
	Dir string
	// URL is that of a store in PostgreSQL, whose events are in S3.
	URL string
	S3  *bucket
	// AnswerWithin is that of the runner's engine.
	AnswerWithin time.Duration
	// Work makes the table's name decide what a run does; without it the runs are
	// executed, with a platform that ends the process for streams named crash....
	Work bool
}

type bucket struct{ Endpoint, Region, Bucket, AccessKey, SecretKey string }

// options are those of every engine of the tests.
func (s settings) options() engine.Options {
	o := engine.Options{
		DataDir: filepath.Join(s.Dir, "data"), DatabaseURL: jobs.NewSecret(s.URL), EncryptionKeyFile: filepath.Join(s.Dir, "keys", "key"),
		AllowPrivateHosts: true, Name: "host", MaxRunsPerAuthorization: 100, AnswerWithin: s.AnswerWithin,
	}
	if b := s.S3; b != nil {
		o.Staging = &staging.S3Config{
			Bucket: b.Bucket, Region: b.Region, Endpoint: b.Endpoint, UsePathStyle: true, AccessKeyID: b.AccessKey, SecretAccessKey: jobs.NewSecret(b.SecretKey),
		}
	}
	return o
}

// runWorker is a worker process. What it does beyond the product's is in this binary only.
func runWorker() error {
	if os.Getenv(canaryVariable) != "" {
		return errors.New("a worker began with a secret in its environment")
	}
	protocol := os.Stdout
	return worker.Serve(version, func(setup worker.Setup) (*engine.Engine, error) {
		var s settings
		if err := json.Unmarshal(setup.Settings, &s); err != nil {
			return nil, err
		}
		o := s.options()
		o.Connections = 4
		o.Getenv = getenv
		o.Platform = crashing(engine.Embedded(o.EventObjects(), nil))
		if s.Work {
			o.Work = func(ctx context.Context, job jobs.Job, p engine.Progress) error {
				return work(ctx, protocol, s.Dir, job.Import.Table, p)
			}
		}
		return engine.New(o), nil
	})
}

// getenv reads the environment of a worker.
func getenv(name string) string {
	switch name {
	case crashVariable:
		go explode(os.Getenv(name))
		<-make(chan struct{}) // the process ends
	case hangVariable:
		<-make(chan struct{})
	}
	return os.Getenv(name)
}

// work does what the name of the table says, up to the first underscore.
func work(ctx context.Context, protocol *os.File, dir, table string, p engine.Progress) error {
	p.Phase("working", 0)
	p.Count(func(c *jobs.Counts) { c.RowsRead++ })
	switch kind, _, _ := strings.Cut(table, "_"); kind {
	case "ok":
	case "fails":
		return &jobs.Error{Code: jobs.CodeForbidden, Summary: "The table cannot be read", Detail: "A grant is missing.", Next: "Grant it"}
	case "blocks":
		<-ctx.Done()
		return ctx.Err()
	case "hangs": // and does not look at ctx
		<-make(chan struct{})
	case "panics":
		var missing *jobs.Job
		p.Phase(missing.Label, 0)
	case "dies": // as a goroutine of a library does
		go explode(os.Getenv(canaryVariable))
		<-make(chan struct{}) // the process ends
	case "fatal":
		var mu sync.Mutex
		mu.Unlock() // a fatal error, which cannot be recovered
	case "exits":
		os.Exit(7)
	case "garbage":
		if _, err := fmt.Fprintln(protocol, `{"report": 1`); err != nil {
			return err
		}
		<-ctx.Done()
	case "silent":
		_ = protocol.Close()
		<-ctx.Done()
	case "grows":
		var all [][]byte
		for ctx.Err() == nil {
			b := make([]byte, 1<<20)
			for i := range b {
				b[i] = 1
			}
			all = append(all, b)
		}
		runtime.KeepAlive(all)
	case "once": // dies the first time only
		file := filepath.Join(dir, table)
		if _, err := os.Stat(file); err != nil {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				return err
			}
			os.Exit(7)
		}
	default:
		return fmt.Errorf("unknown table %s", table)
	}
	return nil
}

//go:noinline
func explode(text string) { panic("malformed answer with " + text) }

// crashing makes the embedded platform end the process when it gets events for a stream
// named crash..., by a panic in a goroutine that nobody recovers, and panic for one named
// panic...: what a malformed answer does to a process if no check finds it.
func crashing(b engine.Backend) engine.Backend {
	open := b.Open
	b.Open = func(db *store.DB) (engine.Platform, error) {
		p, err := open(db)
		return crashingPlatform{p}, err
	}
	return b
}

type crashingPlatform struct{ engine.Platform }

func (p crashingPlatform) Append(
	ctx context.Context, stream string, events []jobs.Event, commit func(tx *store.Tx, rejected []jobs.RejectedEvent) error,
) (jobs.AppendResult, error) {
	if strings.HasPrefix(stream, "panic") {
		panic("slice bounds out of range")
	}
	if strings.HasPrefix(stream, "crash") {
		go panic("slice bounds out of range")
		<-make(chan struct{}) // the process ends
	}
	return p.Platform.Append(ctx, stream, events, commit)
}

// eventually polls until f returns true. Only the time-out of the test binary bounds it.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for !f() {
		if end, bounded := t.Deadline(); bounded && time.Until(end) < 10*time.Second {
			t.Fatalf("the test binary is about to time out while waiting for: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
