package databricks

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// Files reads and writes files in Unity Catalog volumes with the Files API. PUT and GET in
// SQL are not used, because they need a file on this machine's disk, and the driver's HTTP
// client for them ignores the proxy and the rules of package egress. Files uses the transport
// of this package. A call that fails for a moment is tried again by the policy of package
// retry. It is safe for concurrent use.
type Files struct {
	w *Warehouse
	// attribute is that of the volume in errors.
	attribute string
}

// NewFiles returns a Files without sending a request. It does not use the HTTP path of the
// configuration, which may be empty. attribute is the one that names the volume, for
// errors.
func NewFiles(cfg Config, attribute string) (*Files, error) {
	cfg.HTTPPath = cmp.Or(cfg.HTTPPath, "/sql/1.0/warehouses/none")
	w, err := newWarehouse(cfg)
	if err != nil {
		return nil, err
	}
	return &Files{w: w, attribute: attribute}, nil
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
	// filesTimeout limits an attempt of a call that is no upload.
	filesTimeout = time.Minute
)

// List returns a directory's entries; none if the directory does not exist.
func (f *Files) List(ctx context.Context, directory string) ([]FileInfo, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, listTimeout, errListTooLong)
	defer cancel()
	var all []FileInfo
	bounds := pages()
	for page := ""; ; {
		query := url.Values{}
		if page != "" {
			query.Set("page_token", page)
		}
		text, err := f.call(ctx, filesRequest{method: http.MethodGet, api: directoriesPath, path: directory, query: query})
		if jobs.IsCode(err, jobs.CodeNotFound) {
			return nil, nil
		}
		if errors.Is(context.Cause(ctx), errListTooLong) {
			return nil, f.w.beyondLimit(errListTooLong)
		}
		if err != nil {
			return nil, err
		}
		var reply struct {
			Contents []FileInfo `json:"contents"`
			Next     string     `json:"next_page_token"`
		}
		if err := json.Unmarshal(text, &reply); err != nil {
			return nil, &jobs.Error{Code: jobs.CodeUnreachable, Attribute: "host",
				Summary: fmt.Sprintf("%s did not answer like the API for files", f.w.name),
				Detail:  fmt.Sprintf("The listing of %s cannot be read: %v", directory, err),
				Next:    "Check host, and which proxies are on the way; then run it again.", Err: err}
		}
		all = append(all, reply.Contents...)
		kept := int64(0)
		for _, entry := range reply.Contents {
			kept += int64(len(entry.Path)) + entryBytes
		}
		if err := bounds.Next(reply.Next, len(reply.Contents), kept); err != nil {
			return nil, f.w.beyondLimit(err)
		}
		if page = reply.Next; page == "" {
			return all, nil
		}
	}
}

// Read returns the content of a small file. The error is CodeNotFound if the file does not
// exist.
func (f *Files) Read(ctx context.Context, path string) ([]byte, error) {
	return f.call(ctx, filesRequest{method: http.MethodGet, api: filesPath, path: path})
}

// Remove removes a file if it exists.
func (f *Files) Remove(ctx context.Context, path string) error {
	_, err := f.call(ctx, filesRequest{method: http.MethodDelete, api: filesPath, path: path})
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return nil
	}
	return err
}

// RemoveDirectory removes an empty directory if it exists.
func (f *Files) RemoveDirectory(ctx context.Context, path string) error {
	_, err := f.call(ctx, filesRequest{method: http.MethodDelete, api: directoriesPath, path: path})
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return nil
	}
	return err
}

// MakeDirectory creates a directory and its parents, if they do not exist.
func (f *Files) MakeDirectory(ctx context.Context, path string) error {
	_, err := f.call(ctx, filesRequest{method: http.MethodPut, api: directoriesPath, path: path})
	return err
}

// filesRequest is one call of the Files API.
type filesRequest struct {
	method, api, path string
	query             url.Values
	// bytes is the value of the Range header; empty means the whole file.
	bytes string
	// content is the body of an upload, of size bytes. Each attempt reads it from its
	// beginning.
	content io.ReaderAt
	size    int64
}

// filesAnswer is the answer of a call: its body, and the header of a download.
type filesAnswer struct {
	status int
	header http.Header
	text   []byte
}

// call makes a call without a body.
func (f *Files) call(ctx context.Context, r filesRequest) ([]byte, error) {
	answer, err := f.do(ctx, r)
	return answer.text, err
}

// do makes a call, and repeats it after a transient failure. All calls can be repeated: an
// upload replaces the file that an earlier attempt may have stored.
func (f *Files) do(ctx context.Context, r filesRequest) (filesAnswer, error) {
	policy, renewed := pauses, false
	policy.Attempts, policy.Within, policy.FromFirstFailure = maxFilesAttempts, f.w.transport.patience, true
	answer, failed := doFailing(ctx, policy, func(int) (filesAnswer, *failure) {
		if r.content != nil {
			return f.upload(ctx, r)
		}
		bounded, cancel := context.WithTimeoutCause(ctx, filesTimeout, errNoAnswer)
		defer cancel()
		return f.send(bounded, r, nil)
	}, func(_ int, failed *failure) retry.Decision {
		if failed.cause == causeUnauthorized && !renewed {
			renewed = true
			if changed, err := f.w.token.renew(ctx, failed.token); err == nil && changed {
				return retry.Decision{Retry: true, Free: true}
			}
		}
		return retry.Decision{Retry: failed.transient(true) || failed.status >= http.StatusInternalServerError, After: failed.retryAfter}
	})
	if failed != nil {
		return filesAnswer{}, f.explain(ctx, failed, r.path)
	}
	return answer, nil
}

// send makes one attempt.
func (f *Files) send(ctx context.Context, r filesRequest, body io.Reader) (filesAnswer, *failure) {
	token, err := f.w.token.get(ctx)
	if err != nil {
		return filesAnswer{}, &failure{cause: causeToken, err: err}
	}
	u := url.URL{Scheme: f.w.transport.endpoint.Scheme, Host: f.w.transport.endpoint.Host, Path: r.api + r.path, RawQuery: r.query.Encode()}
	request, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return filesAnswer{}, &failure{cause: causeRefused, err: err}
	}
	request.Header.Set("Authorization", "Bearer "+token.Reveal())
	if r.content != nil {
		request.Header.Set("Content-Type", "application/octet-stream")
		request.ContentLength = r.size
	}
	if r.bytes != "" {
		request.Header.Set("Range", r.bytes)
	}
	limits := fileLimits
	if r.api == directoriesPath {
		limits = directoryLimits
	}
	response, err := limits.Do(request, f.w.sendNamed)
	if err != nil {
		return filesAnswer{}, sendFailure(ctx, "", r.content != nil, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return filesAnswer{}, sendFailure(ctx, "", true, err)
	}
	if response.StatusCode/100 != 2 {
		return filesAnswer{}, statusFailure("", token, response, text)
	}
	ranged := r.bytes != "" && response.StatusCode == http.StatusPartialContent
	if r.method == http.MethodGet && response.StatusCode != http.StatusOK && !ranged {
		// A 204 has no content and would be read as an empty file.
		return filesAnswer{}, &failure{cause: causeReply, status: response.StatusCode, message: "the answer has no content"}
	}
	return filesAnswer{status: response.StatusCode, header: response.Header, text: text}, nil
}

// explain describes a failure as one of the volume, which is the usual cause.
func (f *Files) explain(ctx context.Context, failed *failure, path string) error {
	if ctx.Err() != nil && context.Cause(ctx) != errNoAnswer { //nolint:errorlint // the very value
		return ctx.Err()
	}
	text := sanitize(failed.Error())
	switch failed.cause {
	case causeNotFound:
		return &jobs.Error{Code: jobs.CodeNotFound, Attribute: f.attribute, Summary: path + " was not found", Detail: text,
			Next: "Check catalog, schema and volume of " + f.attribute + ", or create the volume", Err: failed}
	case causeForbidden:
		return &jobs.Error{Code: jobs.CodeForbidden, Attribute: f.attribute, Summary: "The volume may not be used", Detail: text,
			Next: "Grant READ VOLUME and WRITE VOLUME on the volume, and USE CATALOG and USE SCHEMA above it, " +
				"to the token's user or service principal", Err: failed}
	}
	return f.w.transportError(failed, newCall(ctx, true))
}
