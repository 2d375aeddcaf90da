// Package tracing writes traces of runs with OpenTelemetry: a span for each run, below
// it one for each phase, and below these the statements at the warehouse and the uploads.
//
// It is configured by OpenTelemetry's own environment variables, and does nothing
// without them. Traces are sent by OTLP over HTTP. No text of a statement and no
// value of a row is part of a span.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
)

// serviceName is the name of the service, unless OTEL_SERVICE_NAME or
// OTEL_RESOURCE_ATTRIBUTES has another.
const serviceName = "terraform-provider-lytics"

// Check returns an error if the environment asks for traces that cannot be sent.
func Check(getenv func(string) string) error {
	if !wanted(getenv) {
		return nil
	}
	protocol := getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
	if protocol == "" {
		protocol = getenv("OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	if protocol != "" && protocol != "http/protobuf" {
		return fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q, and traces are sent by http/protobuf only", protocol)
	}
	return nil
}

// wanted reports whether the environment asks for traces: it names a receiver, or an
// exporter, and switches nothing off.
func wanted(getenv func(string) string) bool {
	exporter := getenv("OTEL_TRACES_EXPORTER")
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || exporter != "" && exporter != "otlp" {
		return false
	}
	return exporter == "otlp" || getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// sending is the provider that sends traces; nil if there is none. A worker process gets
// its environment after its start, so the provider is made by the first span.
var sending = sync.OnceValue(func() *sdktrace.TracerProvider {
	if !wanted(os.Getenv) || Check(os.Getenv) != nil {
		return nil
	}
	ctx := context.Background()
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		failed(err)
		return nil
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", serviceName)), resource.WithFromEnv(),
		resource.WithTelemetrySDK())
	if err != nil {
		failed(err) // what could be read of it is used
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(failed))
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
})

// report is told what went wrong with traces; nil tells nobody.
var (
	reporting sync.RWMutex
	report    func(error)
)

// OnError sets what is called with an error of sending traces. Errors of traces never
// fail a run.
func OnError(f func(error)) {
	reporting.Lock()
	defer reporting.Unlock()
	report = f
}

func failed(err error) {
	reporting.RLock()
	defer reporting.RUnlock()
	if report != nil {
		report(redact.Error(err))
	}
}

func tracer() trace.Tracer {
	if p := sending(); p != nil {
		return p.Tracer("github.com/terraform-provider-lytics/terraform-provider-lytics")
	}
	return noop.NewTracerProvider().Tracer("")
}

// Start begins a span below that of the context; below the phase of its run, if the
// context is the run's. The returned function ends it with its error.
func Start(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, func(error, ...attribute.KeyValue)) {
	if p, ok := ctx.Value(phasesKey{}).(*Phases); ok {
		ctx = p.below(ctx)
	}
	ctx, span := tracer().Start(ctx, name, trace.WithAttributes(attributes...))
	return ctx, func(err error, more ...attribute.KeyValue) { end(span, err, more) }
}

func end(span trace.Span, err error, more []attribute.KeyValue) {
	span.SetAttributes(more...)
	if err != nil && !errors.Is(err, context.Canceled) {
		text := redact.Error(err).Error()
		span.SetStatus(codes.Error, text)
		span.AddEvent("exception", trace.WithAttributes(attribute.String("exception.message", text)))
	}
	span.End()
}

// flushTimeout bounds Flush, so that a receiver that does not answer delays nothing.
const flushTimeout = 3 * time.Second

// Flush sends the spans that have ended. Call it at the end of a run: the process may
// end before the next spans are sent.
func Flush() {
	p := sending()
	if p == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := p.ForceFlush(ctx); err != nil {
		failed(err)
	}
}

// Carrier is the context's span as text, for Continue in another process; empty without
// traces.
func Carrier(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}

// Continue makes the spans of a context continue the trace of another process.
func Continue(ctx context.Context, carrier string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": carrier})
}
