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

// downloadTimeout limits the time until the response with a result file begins, and the
// time between two parts of its body.
const downloadTimeout = time.Minute

// links maps the addresses of a result's files to the call of the result, because the
// driver's request does not always have the call in its context.
type links struct {
	mu    sync.Mutex
	files map[string]file
	// pages counts the pages whose links were added.
	pages int
}

// keptPages is the number of pages whose links are kept. The driver requests the next page
// when it has read the files of a page.
const keptPages = 3

// file is a file of a result.
type file struct {
	call *call
	// link is the address as the warehouse wrote it, and rows the number of rows there.
	link string
	rows int64
	page int
}

// add adds addresses in the form that requests have, and removes the addresses of earlier
// calls and of pages that the driver has left.
func (l *links) add(parts []part, c *call) {
	if c == nil || len(parts) == 0 || parts[0].inline {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.files == nil {
		l.files = map[string]file{}
	}
	l.pages++
	maps.DeleteFunc(l.files, func(_ string, other file) bool { return other.call != c || other.page <= l.pages-keptPages })
	for _, one := range parts {
		if u, err := url.Parse(one.link); err == nil {
			l.files[u.String()] = file{call: c, link: one.link, rows: one.rows, page: l.pages}
		}
	}
}

// fileOf returns the file that a request fetches; ok is false for other requests.
func (l *links) fileOf(request *http.Request) (f file, ok bool) {
	if request.Method != http.MethodGet {
		return file{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f, ok = l.files[request.URL.String()]
	return f, ok
}

// download fetches a file of a result from the workspace's storage. It does not send the
// token there, because the link itself gives access for about 15 minutes. A refused link
// is not tried again; the import reads the rest of the result with a new statement.
func (t *transport) download(request *http.Request, wanted file) (*http.Response, error) {
	c := wanted.call
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
	content, err := c.inflateFile(content)
	if err == nil {
		err = c.acceptFile(wanted.rows, content.Bytes())
	}
	if err != nil {
		return nil, t.refusedDownload(c, t.malformed(downloading, err))
	}
	if c.passThrough {
		content = c.keepFile(wanted.link, content)
	}
	return bufferedResponse(request, "application/octet-stream", content), nil
}

// downloading is the method of a failed download; other requests have a Thrift method.
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
	// The link may need headers of the driver. Headers for the workspace are not sent.
	for name, values := range request.Header {
		if name != "Authorization" && name != "Cookie" && name != "User-Agent" {
			get.Header[name] = values
		}
	}
	response, err := answerLimits(downloadTimeout).Do(get, t.base.RoundTrip) // #nosec G704 -- an address that the warehouse named, dialled by the rules of package egress
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
