package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// The network that measureNetwork puts before the services: round trips of 40 ms, and
// 200 Mbit/s in each direction.
const (
	linkRoundTrip = 40 * time.Millisecond
	linkRate      = 200_000_000 / 8
)

// link is one line to all services behind it. Its connections share the rate of a direction:
// toxiproxy's own "bandwidth" gives the whole rate to each connection, so that a client
// with ten of them would have ten times the line.
//
// A new connection does not wait for TCP's own round trip, since toxiproxy accepts it before
// it reaches the service.
type link struct {
	server   *toxiproxy.ApiServer
	up, down line
	proxies  []*toxiproxy.Proxy
}

func newLink() *link {
	return &link{server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())}
}

// line is a direction of a link.
type line struct {
	mu sync.Mutex
	// free is when the last byte that was given to the line leaves it.
	free time.Time
}

// send gives n bytes that arrived at the line to it, and returns when they leave it. A chunk
// that a busy machine gives late has arrived before, so the line loses no rate.
func (l *line) send(n int, arrived time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.free.Before(arrived) {
		l.free = arrived
	}
	l.free = l.free.Add(time.Duration(n) * time.Second / linkRate)
	return l.free
}

// end is a service behind the link.
type end struct {
	// Address is where the link listens.
	Address  string
	up, down *traffic
}

// traffic counts the bytes of a direction of an end.
type traffic struct {
	line *line

	mu    sync.Mutex
	bytes int64
	// first and last are when the chunks of bulk data went.
	first, last time.Time
}

// bulk is the size in bytes of chunks that are not requests alone.
const bulk = 4 << 10

func (t *traffic) count(n int, left time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes += int64(n)
	if n < bulk {
		return
	}
	if t.last = left; t.first.IsZero() {
		t.first = left
	}
}

// take returns the bytes since the last take, and the time from the first to the last chunk
// of bulk data.
func (t *traffic) take() (bytes int64, over time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	bytes, over = t.bytes, t.last.Sub(t.first)
	t.bytes, t.first, t.last = 0, time.Time{}, time.Time{}
	return bytes, over
}

// directions are the traffics by the name that toxiproxy hands to a toxic: it makes toxics
// from JSON, which holds no pointer.
var directions sync.Map

// lineToxic gives the chunks of a connection to a line. toxiproxy's "latency" follows it.
type lineToxic struct {
	Traffic string `json:"traffic"`
}

// GetBufferSize implements toxics.BufferedToxic: the chunks, of at most 32 kB, that may wait
// for the line before a sender has to.
func (*lineToxic) GetBufferSize() int { return 64 }

const lineType = "bench_line"

//nolint:gochecknoinits // toxiproxy's registry of types
func init() { toxics.Register(lineType, new(lineToxic)) }

// Pipe implements toxics.Toxic.
func (t *lineToxic) Pipe(stub *toxics.ToxicStub) {
	found, _ := directions.Load(t.Traffic)
	traffic, ok := found.(*traffic)
	if !ok {
		stub.Close()
		return
	}
	for {
		var chunk *stream.StreamChunk
		select {
		case <-stub.Interrupt:
			return
		case chunk = <-stub.Input:
		}
		if chunk == nil {
			stub.Close()
			return
		}
		left := traffic.line.send(len(chunk.Data), chunk.Timestamp)
		time.Sleep(time.Until(left))
		traffic.count(len(chunk.Data), left)
		chunk.Timestamp = left // from which the latency counts
		stub.Output <- chunk
	}
}

// before puts the link before a service.
func (l *link) before(name, address string) (*end, error) {
	e := &end{up: &traffic{line: &l.up}, down: &traffic{line: &l.down}}
	p := toxiproxy.NewProxy(l.server, name, "127.0.0.1:0", address)
	for direction, t := range map[string]*traffic{"upstream": e.up, "downstream": e.down} {
		key := fmt.Sprintf("%p", t)
		directions.Store(key, t)
		for _, toxic := range []map[string]any{
			{"type": lineType, "attributes": map[string]any{"traffic": key}},
			{"type": "latency", "attributes": map[string]any{"latency": (linkRoundTrip / 2).Milliseconds()}},
		} {
			toxic["name"], toxic["stream"] = fmt.Sprint(toxic["type"], "_", direction), direction
			text, err := json.Marshal(toxic)
			if err != nil {
				return nil, err
			}
			if _, err := p.Toxics.AddToxicJson(strings.NewReader(string(text))); err != nil {
				return nil, fmt.Errorf("toxiproxy refuses %s: %w", text, err)
			}
		}
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	l.proxies = append(l.proxies, p)
	e.Address = p.Listen
	return e, nil
}

func (l *link) close() {
	for _, p := range l.proxies {
		p.Stop()
	}
}

// linkSample is what is transferred to learn the link's own speed, in bytes.
const linkSample = 50_000_000

// linkSamples is the number of transfers in each direction, of which the best one counts:
// other work on the machine delays a transfer, and never makes it faster.
const linkSamples = 3

// speeds measures the link itself, in bytes a second of each direction: one connection that
// only waits for the link.
func (l *link) speeds(ctx context.Context) (up, down float64, err error) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.Copy(io.Discard, r.Body)
			return
		}
		_, _ = io.Copy(w, sample())
	}))
	defer server.Close()
	e, err := l.before("sample", server.Listener.Addr().String())
	if err != nil {
		return 0, 0, err
	}
	for n := range 2 * linkSamples {
		method, speed := http.MethodGet, &down
		if n%2 == 1 {
			method, speed = http.MethodPost, &up
		}
		request, err := http.NewRequestWithContext(ctx, method, "http://"+e.Address, nil)
		if err != nil {
			return 0, 0, err
		}
		if method == http.MethodPost {
			request.Body, request.ContentLength = io.NopCloser(sample()), linkSample
		}
		begun := time.Now()
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return 0, 0, err
		}
		_, err = io.Copy(io.Discard, response.Body)
		*speed = max(*speed, linkSample/time.Since(begun).Seconds())
		if err := errors.Join(err, response.Body.Close()); err != nil {
			return 0, 0, err
		}
	}
	return up, down, nil
}

func sample() io.Reader { return io.LimitReader(zeros{}, linkSample) }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// behind returns the sandbox as it is reached over the link, with the ends of its warehouse
// and of its S3.
func (l *link) behind(s *sandbox) (slow *sandbox, warehouse, s3 *end, err error) {
	slow = &sandbox{s.Sandbox}
	if warehouse, err = l.before("warehouse", fmt.Sprintf("127.0.0.1:%d", s.Port)); err != nil {
		return nil, nil, nil, err
	}
	if s3, err = l.before("s3", strings.TrimPrefix(s.S3.Endpoint, "http://")); err != nil {
		return nil, nil, nil, err
	}
	address, err := net.ResolveTCPAddr("tcp", warehouse.Address)
	if err != nil {
		return nil, nil, nil, err
	}
	slow.Port, slow.S3.Endpoint = address.Port, "http://"+s3.Address
	return slow, warehouse, s3, nil
}
