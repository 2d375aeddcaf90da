package s3

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
)

// ServeHTTP implements http.Handler.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isSTS(r) {
		s.serveSTS(w, r)
		return
	}
	who, err := s.authorize(r, r.Header.Get("X-Amz-Content-Sha256"))
	if err == nil {
		err = who.permit(accessOf(r))
	}
	if err != nil {
		refuse(w, r, err)
		return
	}
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	at := fault.Call{Name: operationName(r, key), Text: key}
	if hit, ok := s.options.Faults.Trigger(at, fault.S3Slow); ok {
		if hit.Wait(r.Context()) != nil {
			return
		}
	}
	if hit, ok := s.options.Faults.Trigger(at, fault.S3Error); ok {
		refuse(w, r, &Error{Status: hit.Status, Code: errorCode(hit.Status), Message: hit.Message})
		return
	}
	if at.Name == "PutObject" {
		// The body is read whole first: after a client disconnects, gofakes3 would
		// keep half of the object and fail to list the bucket.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	s.server.ServeHTTP(w, r)
}

// operationName returns S3's name for the operation of a request.
func operationName(r *http.Request, key string) string {
	query := r.URL.Query()
	switch {
	case query.Has("uploads") && r.Method == http.MethodPost:
		return "CreateMultipartUpload"
	case query.Has("uploadId"):
		switch r.Method {
		case http.MethodPut:
			return "UploadPart"
		case http.MethodPost:
			return "CompleteMultipartUpload"
		case http.MethodDelete:
			return "AbortMultipartUpload"
		}
	case r.Method == http.MethodPut && key != "":
		return "PutObject"
	case r.Method == http.MethodGet && key != "":
		return "GetObject"
	case r.Method == http.MethodHead && key != "":
		return "HeadObject"
	case r.Method == http.MethodDelete && key != "", r.Method == http.MethodPost && query.Has("delete"):
		return "DeleteObject"
	case r.Method == http.MethodGet && key == "":
		return "ListObjects"
	}
	return r.Method
}

func errorCode(status int) string {
	switch status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return "SlowDown"
	case http.StatusForbidden:
		return "AccessDenied"
	case http.StatusNotFound:
		return "NoSuchKey"
	case http.StatusInternalServerError:
		return "InternalError"
	}
	return "RequestError"
}

func refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := &Error{Status: http.StatusInternalServerError, Code: "InternalError", Message: err.Error()}
	errors.As(err, &e)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(e.Status)
	if r.Method != http.MethodHead {
		escape := strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace
		// A write fails when the client has disconnected, which is no error here.
		_, _ = fmt.Fprintf(
			w,
			"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>",
			e.Code,
			escape(e.Message),
		)
	}
}

const (
	algorithm = "AWS4-HMAC-SHA256"
	dateForm  = "20060102T150405Z"
)

// authorize returns the owner of the credential that signed a request. It checks
// the signature by signing the request again; gofakes3 does not check it.
func (s *Store) authorize(r *http.Request, payload string) (*identity, error) {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), algorithm)
	if !ok {
		return nil, &Error{
			http.StatusForbidden,
			"AccessDenied",
			"Access Denied: the request is not signed in its Authorization header with " + algorithm + ".",
		}
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		if k, v, ok := strings.Cut(strings.TrimSpace(part), "="); ok {
			fields[k] = v
		}
	}
	scope := strings.Split(fields["Credential"], "/")
	if len(scope) != 5 {
		return nil, &Error{
			http.StatusBadRequest,
			"AuthorizationHeaderMalformed",
			"The authorization header is malformed; the Credential is mal-formed.",
		}
	}
	want, err := s.identify(scope[0], r.Header.Get("X-Amz-Security-Token"))
	if err != nil {
		return nil, err
	}
	at, err := time.Parse(dateForm, r.Header.Get("X-Amz-Date"))
	if err != nil {
		return nil, &Error{http.StatusForbidden, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header"}
	}
	signed := &http.Request{Method: r.Method, Host: r.Host, Header: http.Header{}}
	signed.URL = &url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery}
	for name := range strings.SplitSeq(fields["SignedHeaders"], ";") {
		switch name {
		case "host":
		case "content-length":
			signed.ContentLength = r.ContentLength
		default:
			for _, v := range r.Header.Values(name) {
				signed.Header.Add(name, v)
			}
		}
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	credentials := aws.Credentials{AccessKeyID: want.AccessKey, SecretAccessKey: want.SecretKey, SessionToken: want.SessionToken}
	if err := signer.SignHTTP(r.Context(), credentials, signed, payload, scope[3], scope[2], at); err != nil {
		return nil, fmt.Errorf("check the signature: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(signed.Header.Get("Authorization")), []byte(r.Header.Get("Authorization"))) != 1 {
		return nil, errSignature
	}
	return want, nil
}
