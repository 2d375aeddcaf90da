package databricks

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// downloadTimeout bounds the time until the answer with a file of a result
// begins, and the time between two pieces of it.
const downloadTimeout = time.Minute

// links maps the addresses of a result's files, as the warehouse named them, to
// the call whose result it is: the driver's request does not always say which.
type links struct {
	mu    sync.Mutex
	calls map[string]*call
}

// add keeps addresses in the form in which requests have them, and forgets those
// of earlier calls.
func (l *links) add(addresses []string, c *call) {
	if len(addresses) == 0 || c == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls == nil {
		l.calls = map[string]*call{}
	}
	maps.DeleteFunc(l.calls, func(_ string, other *call) bool { return other != c })
	for _, address := range addresses {
		if u, err := url.Parse(address); err == nil {
			l.calls[u.String()] = c
		}
	}
}

// callOf gives the call for which a request fetches a file; nil for other
// requests.
func (l *links) callOf(request *http.Request) *call {
	if request.Method != http.MethodGet {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[request.URL.String()]
}

// download fetches a file of a result from the storage that the warehouse named.
// The token is not sent there: the link itself is the permission, for about 15
// minutes. A link that was refused is not tried again: the import reads the rest
// of the result with a new statement.
func (t *transport) download(request *http.Request, c *call) (*http.Response, error) {
	if request.URL.Scheme != "https" && t.endpoint.Scheme != "http" {
		return nil, t.refusedDownload(c, &failure{method: downloading, cause: causeRefused,
			message: fmt.Sprintf("a result file at %s is refused: only https is used", request.URL.Host)})
	}
	ctx, stop := withCallersCancel(request.Context(), c, downloading)
	defer stop()
	policy := pauses
	policy.Attempts, policy.Within = maxLostAttempts, t.patience
	content, f := doFailing(ctx, policy, func(int) (*bytes.Buffer, *failure) { return t.fetchFile(ctx, request) },
		func(_ int, f *failure) retry.Decision {
			return retry.Decision{Retry: f.transientDownload(), After: f.retryAfter}
		})
	if f != nil {
		return nil, t.refusedDownload(c, f)
	}
	return bufferedResponse(request, "application/octet-stream", content), nil
}

// downloading stands in a failure where other requests have a Thrift method.
const downloading = "CloudFetch"

func (t *transport) refusedDownload(c *call, f *failure) *failure {
	c.recordFailure(f)
	return f
}

func (t *transport) fetchFile(ctx context.Context, request *http.Request) (*bytes.Buffer, *failure) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(downloadTimeout, func() { cancel(errNoAnswer) })
	defer timer.Stop()
	//nolint:gosec // a link that the warehouse gave, to a host that the transport allows
	get, err := http.NewRequestWithContext(ctx, http.MethodGet, request.URL.String(), nil)
	if err != nil {
		return nil, &failure{method: downloading, cause: causeLink, err: err}
	}
	// The link may need headers of the driver's. Those for the workspace stay here.
	for name, values := range request.Header {
		if name != "Authorization" && name != "Cookie" && name != "User-Agent" {
			get.Header[name] = values
		}
	}
	response, err := t.base.RoundTrip(get) // #nosec G704 -- an address that the warehouse named, dialled by the rules of package egress
	if err != nil {
		return nil, sendFailure(ctx, downloading, true, err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := readAll(response, func() { timer.Reset(downloadTimeout) })
	if err != nil {
		return nil, sendFailure(ctx, downloading, true, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, &failure{method: downloading, cause: causeLink, status: response.StatusCode, message: "the storage refused the link",
			retryAfter: retry.After(response.Header.Get("Retry-After"), time.Now())}
	}
	return content, nil
}
