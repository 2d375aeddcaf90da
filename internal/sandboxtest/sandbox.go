// Package sandboxtest starts the local sandbox warehouse for tests: it builds
// internal/sandbox once, runs it on free loopback ports, and stops it when the
// test is done.
package sandboxtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest/process"
)

// Sandbox is a running sandbox, with its addresses and credentials.
type Sandbox struct {
	// Host has a scheme, as an authorization's host for local use has:
	// "http://127.0.0.1".
	Host     string
	Port     int
	HTTPPath string
	Token    string
	// ClientID and ClientSecret belong to a service principal, for OAuth
	// machine-to-machine.
	ClientID, ClientSecret string
	// CAFile is the certificate authority of a sandbox started with -tls.
	CAFile string

	S3Endpoint  string
	S3Region    string
	S3Bucket    string
	S3AccessKey string
	S3SecretKey string

	// AdminURL is the URL of the API that sets faults.
	AdminURL string

	options options
	// data is the directory of tables and objects; empty means a temporary
	// directory.
	data     string
	sparkURL string

	running *process.Sandbox
	output  *output
}

// Option changes how a sandbox is started.
type Option func(*options)

type options struct {
	args []string
	seed int
	// ownSpark starts a Spark for this sandbox alone.
	ownSpark bool
	faults   []Fault
}

// WithArgs adds command line arguments of internal/sandbox.
func WithArgs(args ...string) Option {
	return func(o *options) { o.args = append(o.args, args...) }
}

// WithSeed creates example data: main.sales.customers with the number of rows,
// main.sales.orders, and a second catalog.
func WithSeed(rows int) Option {
	return func(o *options) { o.seed = rows }
}

// WithFaults starts the sandbox with faults.
func WithFaults(faults ...Fault) Option {
	return func(o *options) { o.faults = append(o.faults, faults...) }
}

// Start runs a sandbox for one test and stops it when the test is done.
func Start(tb testing.TB, opts ...Option) *Sandbox {
	tb.Helper()
	skipShort(tb)
	s := &Sandbox{data: tb.TempDir(), output: &output{}}
	for _, opt := range opts {
		opt(&s.options)
	}
	if err := s.start(s.firstArgs()...); err != nil {
		tb.Fatalf("starting the sandbox: %v", err)
	}
	tb.Cleanup(func() {
		_ = s.running.Stop()
		if tb.Failed() {
			tb.Logf("the sandbox's output:\n%s", s.output)
		}
	})
	return s
}

// skipShort skips a test in make unit.
func skipShort(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("LEFT OUT of make unit: it needs the sandbox, and make test runs it")
	}
}

// Restart restarts a killed sandbox at the same address, with the same
// credentials and data, without sessions and faults.
func (s *Sandbox) Restart(tb testing.TB) {
	tb.Helper()
	s.Kill()
	s3, err := url.Parse(s.S3Endpoint)
	if err != nil {
		tb.Fatal(err)
	}
	err = s.start("-port", strconv.Itoa(s.Port), "-s3-port", s3.Port(), "-token", s.Token,
		"-s3-access-key", s.S3AccessKey, "-s3-secret-key", s.S3SecretKey)
	if err != nil {
		tb.Fatalf("starting the sandbox again: %v", err)
	}
}

var shared struct {
	once    sync.Once
	sandbox *Sandbox
	err     error
}

// Shared returns the sandbox that the tests of a test binary share, until the
// test binary ends. It has no example data. A test creates its own schema in it
// and sets no faults.
func Shared(tb testing.TB) *Sandbox {
	tb.Helper()
	skipShort(tb)
	shared.once.Do(func() {
		shared.sandbox = &Sandbox{output: &output{}}
		shared.err = shared.sandbox.start()
	})
	if shared.err != nil {
		tb.Fatalf("starting the shared sandbox: %v", shared.err)
	}
	return shared.sandbox
}

// startTimeout bounds the time from exec to the ready file.
const startTimeout = 120 * time.Second

func (s *Sandbox) firstArgs() (args []string) {
	if s.options.seed > 0 {
		args = append(args, "-seed", "-seed-rows", strconv.Itoa(s.options.seed))
	}
	return args
}

func (s *Sandbox) start(args ...string) error {
	engine, err := s.options.engineArgs()
	if err != nil {
		return err
	}
	return s.launch(slices.Concat(engine, args)...)
}

func (s *Sandbox) launch(args ...string) error {
	binary, err := build()
	if err != nil {
		return err
	}
	// Statements must not contain long-lived credentials, so the sandbox refuses
	// them. Results come in pages unless a test sets another form, because most
	// tests set faults between pages.
	args = slices.Concat([]string{"-s3-short-lived", "-results", "arrow"}, args, s.options.args)
	if s.data != "" {
		args = append(args, "-data", s.data)
	}
	running, err := process.Start(
		context.Background(),
		process.Options{Binary: binary, Args: args, Stdout: s.output, Stderr: s.output, Timeout: startTimeout},
	)
	if err != nil {
		return fmt.Errorf("%w; its output:\n%s", err, s.output)
	}
	s.running = running
	r := running.Ready
	s.sparkURL = r.SparkURL
	s.Host, s.Port, s.HTTPPath, s.Token, s.AdminURL = r.Host, r.Port, r.HTTPPath, r.Token, r.AdminURL
	s.CAFile, s.ClientID, s.ClientSecret = r.CAFile, r.ClientID, r.ClientSecret
	s.S3Endpoint, s.S3Region, s.S3Bucket = r.S3.Endpoint, r.S3.Region, r.S3.Bucket
	s.S3AccessKey, s.S3SecretKey = r.S3.AccessKey, r.S3.SecretKey
	if err := s.postFaults(s.options.faults); err != nil {
		s.Kill()
		return err
	}
	return nil
}

// Kill kills the sandbox. It may be called twice.
func (s *Sandbox) Kill() { s.running.Kill() }

// Binary returns the sandbox's program, for a test of what starts it itself.
func Binary(tb testing.TB) string {
	tb.Helper()
	skipShort(tb)
	binary, err := build()
	if err != nil {
		tb.Fatal(err)
	}
	return binary
}

// build returns the sandbox's binary: LYTICS_SANDBOX_BINARY, or a new build
// that concurrent test binaries share.
func build() (string, error) {
	if binary := os.Getenv("LYTICS_SANDBOX_BINARY"); binary != "" {
		return binary, nil
	}
	return buildOnce()
}

// RepositoryRoot is the folder of the repository, found upwards from the
// working directory, which is that of the package under test. The path that
// the compiler saw would not do: -trimpath removes it.
func RepositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "internal", "sandbox", "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the repository cannot be found above the working directory")
		}
		dir = parent
	}
}

var buildOnce = sync.OnceValues(func() (string, error) {
	root, err := RepositoryRoot()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "build", "sandboxtest")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	if err := lock.Lock(); err != nil {
		return "", err
	}
	defer func() { _ = lock.Unlock() }()
	binary := filepath.Join(dir, "sandbox")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	// Another test binary may be running the previous build, so build a new file
	// and rename it.
	fresh := binary + ".new"
	build := exec.CommandContext(context.Background(), "go", "build", "-o", fresh, ".")
	build.Dir = filepath.Join(root, "internal", "sandbox")
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building internal/sandbox: %w\n%s", err, text)
	}
	return binary, os.Rename(fresh, binary)
})

// output collects the output of the sandbox.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
