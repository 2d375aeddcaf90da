package databricks

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// Files reads and writes files in Unity Catalog volumes with the Files API. PUT and GET in
// SQL are not used, because they need a file on this machine's disk, and the driver's HTTP
// client for them ignores the proxy and the rules of package egress. Files sends a body
// while it is produced, over the transport of this package. It is safe for concurrent use.
type Files struct{ w *Warehouse }

// NewFiles returns a Files without sending a request. It does not use the HTTP path of the
// configuration.
func NewFiles(cfg Config) (*Files, error) {
	w, err := newWarehouse(cfg)
	if err != nil {
		return nil, err
	}
	return &Files{w: w}, nil
}

// Close closes idle connections.
func (f *Files) Close() { f.w.transport.base.CloseIdleConnections() }

// FileInfo is an entry of a directory.
type FileInfo struct {
	Path      string `json:"path"`
	Directory bool   `json:"is_directory"`
	Size      int64  `json:"file_size"`
}

const (
	filesPath       = "/api/2.0/fs/files"
	directoriesPath = "/api/2.0/fs/directories"
	// maxFilesAttempts is the maximum number of attempts of a call.
	maxFilesAttempts = 4
	filesTimeout     = time.Minute
	// stallTimeout limits the time during which the receiver of an upload reads no part
	// of the body.
	stallTimeout = 5 * time.Minute
)

// List returns a directory's entries; none if the directory does not exist.
func (f *Files) List(ctx context.Context, directory string) ([]FileInfo, error) {
	var all []FileInfo
	for page := ""; ; {
		query := url.Values{}
		if page != "" {
			query.Set("page_token", page)
		}
		text, err := f.call(ctx, http.MethodGet, directoriesPath, directory, query)
		if jobs.IsCode(err, jobs.CodeNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		var reply struct {
			Contents []FileInfo `json:"contents"`
			Next     string     `json:"next_page_token"`
		}
		if err := json.Unmarshal(text, &reply); err != nil {
			return nil, fmt.Errorf("read the listing of %s: %w", directory, err)
		}
		all = append(all, reply.Contents...)
		if page = reply.Next; page == "" {
			return all, nil
		}
	}
}

// Read returns the content of a small file. The error is CodeNotFound if the file does not
// exist.
func (f *Files) Read(ctx context.Context, path string) ([]byte, error) {
	return f.call(ctx, http.MethodGet, filesPath, path, nil)
}

// Remove removes a file if it exists.
func (f *Files) Remove(ctx context.Context, path string) error {
	_, err := f.call(ctx, http.MethodDelete, filesPath, path, nil)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return nil
	}
	return err
}

// RemoveDirectory removes an empty directory if it exists.
func (f *Files) RemoveDirectory(ctx context.Context, path string) error {
	_, err := f.call(ctx, http.MethodDelete, directoriesPath, path, nil)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return nil
	}
	return err
}

// MakeDirectory creates a directory and its parents, if they do not exist.
func (f *Files) MakeDirectory(ctx context.Context, path string) error {
	_, err := f.call(ctx, http.MethodPut, directoriesPath, path, nil)
	return err
}

// Write creates a file and its directory. The file exists when the body has been read to
// its end. A failure is not retried, because the body cannot be read a second time.
func (f *Files) Write(ctx context.Context, path string, body io.Reader) error {
	// This call also renews an expired token; Write itself could not repeat its body.
	if err := f.MakeDirectory(ctx, parent(path)); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := &stallDetector{r: body, timer: time.AfterFunc(stallTimeout, func() { cancel(errNoAnswer) })}
	defer watched.timer.Stop()
	_, failed := f.send(ctx, http.MethodPut, filesPath, path, url.Values{"overwrite": {"true"}}, watched)
	if failed != nil {
		return f.explain(ctx, failed, path)
	}
	return nil
}

func parent(path string) string { return path[:max(0, strings.LastIndexByte(path, '/'))] }

// stallDetector runs its timer while the receiver does not read. It stops the timer during
// a read of the body, because the producer may be slow.
type stallDetector struct {
	r     io.Reader
	timer *time.Timer
}

func (s *stallDetector) Read(p []byte) (int, error) {
	s.timer.Stop()
	defer s.timer.Reset(stallTimeout)
	return s.r.Read(p)
}

// call makes a call without a body, and retries transient failures.
func (f *Files) call(ctx context.Context, method, api, path string, query url.Values) ([]byte, error) {
	policy, renewed := pauses, false
	policy.Attempts, policy.Within = maxFilesAttempts, f.w.transport.patience
	text, failed := doFailing(ctx, policy, func(int) ([]byte, *failure) {
		bounded, cancel := context.WithTimeoutCause(ctx, filesTimeout, errNoAnswer)
		defer cancel()
		return f.send(bounded, method, api, path, query, nil)
	}, func(_ int, failed *failure) retry.Decision {
		if failed.cause == causeUnauthorized && !renewed {
			renewed = true
			if changed, err := f.w.token.renew(ctx); err == nil && changed {
				return retry.Decision{Retry: true, Free: true}
			}
		}
		return retry.Decision{Retry: failed.transient(true) || failed.status >= http.StatusInternalServerError, After: failed.retryAfter}
	})
	if failed != nil {
		return nil, f.explain(ctx, failed, path)
	}
	return text, nil
}

// send makes one attempt.
func (f *Files) send(ctx context.Context, method, api, path string, query url.Values, body io.Reader) ([]byte, *failure) {
	token, err := f.w.token.get(ctx)
	if err != nil {
		return nil, &failure{cause: causeToken, err: err}
	}
	u := url.URL{Scheme: f.w.transport.endpoint.Scheme, Host: f.w.transport.endpoint.Host, Path: api + path, RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, &failure{cause: causeRefused, err: err}
	}
	request.Header.Set("Authorization", "Bearer "+token.Reveal())
	if body != nil {
		request.Header.Set("Content-Type", "application/octet-stream")
	}
	response, err := f.w.transport.base.RoundTrip(request)
	if err != nil {
		return nil, sendFailure(ctx, "", body != nil, err)
	}
	defer func() { _ = response.Body.Close() }()
	const most = 16 << 20
	text, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return nil, sendFailure(ctx, "", true, err)
	}
	if response.StatusCode/100 != 2 {
		return nil, statusFailure("", response, text)
	}
	if len(text) == most {
		return nil, &failure{cause: causeRefused, message: fmt.Sprintf("the answer about %s is larger than %d bytes", path, most)}
	}
	return text, nil
}

// explain describes a failure as one of the volume, which is the usual cause.
func (f *Files) explain(ctx context.Context, failed *failure, path string) error {
	if ctx.Err() != nil && context.Cause(ctx) != errNoAnswer { //nolint:errorlint // the very value
		return ctx.Err()
	}
	text := f.w.sanitize(failed.Error(), nil)
	switch failed.cause {
	case causeNotFound:
		return &jobs.Error{Code: jobs.CodeNotFound, Attribute: "staging.volume", Summary: path + " was not found", Detail: text,
			Next: "Check catalog, schema and volume of staging.volume, or create the volume", Err: failed}
	case causeForbidden:
		return &jobs.Error{Code: jobs.CodeForbidden, Attribute: "staging.volume", Summary: "The staging volume may not be used", Detail: text,
			Next: "Grant READ VOLUME and WRITE VOLUME on the volume, and USE CATALOG and USE SCHEMA above it, " +
				"to the token's user or service principal", Err: failed}
	}
	return f.w.transportError(failed, newCall(ctx, true))
}
