package tracing_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/worker"
)

// workerArgument makes the test binary a worker process.
const workerArgument = "worker"

// version is that of the workers.
const version = "test"

// received are the spans of this process and of its workers.
var received receiver

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == workerArgument {
		if err := runWorker(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// The environment is read by the first span.
	server := httptest.NewServer(&received)
	if err := os.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL); err != nil {
		panic(err)
	}
	code := m.Run()
	server.Close()
	os.Exit(code)
}

// receiver is a collector of traces that speaks OTLP over HTTP.
type receiver struct {
	mu       sync.Mutex
	spans    []*tracepb.Span
	services map[string]bool
	mistakes []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(req.Body)
	var sent collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &sent)
	}
	if err != nil || req.Method != http.MethodPost || req.URL.Path != "/v1/traces" {
		r.mistakes = append(r.mistakes, fmt.Sprintf("%s %s: %v", req.Method, req.URL.Path, err))
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, of := range sent.GetResourceSpans() {
		for _, a := range of.GetResource().GetAttributes() {
			if a.GetKey() == "service.name" {
				if r.services == nil {
					r.services = map[string]bool{}
				}
				r.services[a.GetValue().GetStringValue()] = true
			}
		}
		for _, scope := range of.GetScopeSpans() {
			r.spans = append(r.spans, scope.GetSpans()...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// settings are what the engines of a test share.
type settings struct {
	Dir                                      string
	Endpoint, Region, Bucket, Key, SecretKey string
}

func (s settings) options() engine.Options {
	return engine.Options{
		DataDir: filepath.Join(s.Dir, "data"), EncryptionKeyFile: filepath.Join(s.Dir, "keys", "key"), AllowPrivateHosts: true, Name: "host",
		Staging: &staging.S3Config{Bucket: s.Bucket, Region: s.Region, Endpoint: s.Endpoint, UsePathStyle: true, AccessKeyID: s.Key,
			SecretAccessKey: jobs.NewSecret(s.SecretKey)},
	}
}

func runWorker() error {
	return worker.Serve(version, func(setup worker.Setup) (*engine.Engine, error) {
		var s settings
		if err := json.Unmarshal(setup.Settings, &s); err != nil {
			return nil, err
		}
		return engine.New(s.options()), nil
	})
}
