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

// downloadTimeout bounds one file of a result: until its answer begins, and
// between two pieces of it.
const downloadTimeout = time.Minute

// links are the addresses that the warehouse named for rows of the session's
// results, each with the call whose result it is: the driver does not always
// say which that is.
type links struct {
	mu    sync.Mutex
	calls map[string]*call
}

// announce keeps addresses in the form that requests have them in. Those of
// calls that are over are forgotten.
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

// owner gives the call that a request fetches a file for, nil for other
// requests.
func (l *links) callOf(request *http.Request) *call {
	if request.Method != http.MethodGet {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[request.URL.String()]
}

// download fetches a file of a result from the storage that the warehouse
// named. The token stays here: the link is its own permission, for some
// minutes. One that is refused is not worth another try: the import reads the
// rest of the result with a new statement.
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

// downloading is the name of the call, beside those of Thrift.
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
	get, err := http.NewRequestWithContext(ctx, http.MethodGet, request.URL.String(), nil) //nolint:gosec // a link that the warehouse gave, to the host that the transport lets through
	if err != nil {
		return nil, &failure{method: downloading, cause: causeLink, err: err}
	}
	// Headers that the link needs, and none that the workspace is sent.
	for name, values := range request.Header {
		if name != "Authorization" && name != "Cookie" && name != "User-Agent" {
			get.Header[name] = values
		}
	}
	response, err := t.base.RoundTrip(get) // #nosec G704 -- an address that the warehouse named, dialled by the transport's rules
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
