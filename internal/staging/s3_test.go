package staging_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// store is a fake S3 server. client is the SDK's client, for checks without the package.
type store struct {
	cfg    staging.S3Config
	client *s3.Client
	// intercept reports whether it has written the response of a request.
	intercept atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
}

func newStore(t *testing.T) *store {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("exports"); err != nil {
		t.Fatal(err)
	}
	s := &store{}
	fake := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := s.intercept.Load(); f != nil && (*f)(w, r) {
			return
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.cfg = staging.S3Config{
		Bucket: "exports", Prefix: "lytics/staging", Region: "eu-central-1", Endpoint: server.URL, UsePathStyle: true,
		AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: jobs.NewSecret("canary-secret"),
	}
	s.client = s3.New(s3.Options{
		BaseEndpoint: aws.String(server.URL), UsePathStyle: true, Region: "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
	return s
}

func (s *store) open(t *testing.T) *staging.S3 {
	t.Helper()
	opened, err := staging.Open(t.Context(), s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// refuse makes the store answer matching requests with an error.
func (s *store) refuse(status int, code string, match func(*http.Request) bool) {
	f := func(w http.ResponseWriter, r *http.Request) bool {
		if !match(r) {
			return false
		}
		// If the server closes a connection before it has read the body, the connection
		// is reset, and the client may not receive the response.
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			_, _ = fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>The store says %s.</Message></Error>`, code, code)
		}
		return true
	}
	s.intercept.Store(&f)
}

func (s *store) allow() { s.intercept.Store(nil) }

func everything(*http.Request) bool { return true }
func parts(r *http.Request) bool    { return r.Method == http.MethodPut && r.URL.Query().Has("uploadId") }

func (s *store) content(t *testing.T, key string) []byte {
	t.Helper()
	out, err := s.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("exports"), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Body.Close() }()
	content, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// leftovers lists objects and unfinished uploads in the whole bucket.
func (s *store) leftovers(t *testing.T) (out []string) {
	t.Helper()
	objects, err := s.client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("exports")})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects.Contents {
		out = append(out, *o.Key)
	}
	uploads, err := s.client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String("exports")})
	if err != nil {
		if strings.Contains(err.Error(), "NoSuchUpload") { // gofakes3 returns this if there are none
			return out
		}
		t.Fatal(err)
	}
	for _, u := range uploads.Uploads {
		out = append(out, "unfinished "+*u.Key)
	}
	return out
}

func write(t *testing.T, s *staging.S3, key string, content []byte) {
	t.Helper()
	w, err := s.Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func random(n int) []byte {
	out := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(out)
	return out
}

func TestObjectsArriveAsWritten(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	s := store.open(t)
	sizes := map[string]int{"empty": 0, "small": 1000, "one-part": 8 << 20, "parts": 20<<20 + 7}
	for name, size := range sizes {
		want := random(size)
		write(t, s, "run-1/"+name+".csv", want)
		if got := store.content(t, "lytics/staging/run-1/"+name+".csv"); !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes arrived, not the %d that were written", name, len(got), size)
		}
	}
	listed, err := s.List(t.Context(), "run-1")
	if err != nil || len(listed) != len(sizes) {
		t.Fatalf("List = %v, %v", listed, err)
	}
	for _, o := range listed {
		name := strings.TrimSuffix(strings.TrimPrefix(o.Key, "run-1/"), ".csv")
		if size, ok := sizes[name]; !ok || int64(size) != o.Size {
			t.Errorf("listed %+v", o)
		}
	}
	if got, want := s.URL("run-1/"), "s3://exports/lytics/staging/run-1/"; got != want {
		t.Errorf("URL = %s, want %s", got, want)
	}
}

// checklist 31.
func TestUnfinishedObjectsLeaveNothing(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100, 20 << 20} {
		t.Run(fmt.Sprintf("aborted after %d bytes", size), func(t *testing.T) {
			t.Parallel()
			store := newStore(t)
			w, err := store.open(t).Create(t.Context(), "run-1/a.csv")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(random(size)); err != nil {
				t.Fatal(err)
			}
			if err := w.Abort(); err != nil {
				t.Errorf("Abort: %v", err)
			}
			if left := store.leftovers(t); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			if err := w.Close(); err == nil {
				t.Error("Close after Abort returned no error")
			}
		})
		t.Run(fmt.Sprintf("cancelled after %d bytes", size), func(t *testing.T) {
			t.Parallel()
			store := newStore(t)
			ctx, cancel := context.WithCancel(t.Context())
			w, err := store.open(t).Create(ctx, "run-1/a.csv")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(random(size)); err != nil {
				t.Fatal(err)
			}
			cancel()
			if err := w.Close(); !errors.Is(err, context.Canceled) {
				t.Errorf("Close = %v, want context.Canceled", err)
			}
			if left := store.leftovers(t); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
	t.Run("a part is refused", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		s := store.open(t)
		store.refuse(http.StatusForbidden, "AccessDenied", parts)
		w, err := s.Create(t.Context(), "run-1/a.csv")
		if err != nil {
			t.Fatal(err)
		}
		_, writeErr := io.Copy(w, bytes.NewReader(random(100<<20)))
		expect(t, w.Close(), jobs.CodeForbidden, "staging.s3.bucket")
		if writeErr == nil {
			t.Error("the writer returned no error after the failure")
		}
		store.allow()
		if left := store.leftovers(t); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
}

// checklist 31.
func TestRemovePrefix(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	s := store.open(t)
	const many = 1100 // more than S3 removes at once
	for i := range many {
		_, err := store.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("exports"),
			Key: aws.String(fmt.Sprintf("lytics/staging/run-1/%d.csv", i)), Body: strings.NewReader("x")})
		if err != nil {
			t.Fatal(err)
		}
	}
	write(t, s, "run-10/keep.csv", []byte("y"))
	// An unfinished upload of a killed process.
	_, err := store.client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String("exports"), Key: aws.String("lytics/staging/run-1/killed.csv")})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.RemovePrefix(t.Context(), "run-1"); err != nil {
			t.Fatal(err)
		}
		if left := store.leftovers(t); len(left) != 1 || left[0] != "lytics/staging/run-10/keep.csv" {
			t.Fatalf("left: %v", left)
		}
	}
	for _, bad := range []string{"", "/", "/run-1"} {
		if err := s.RemovePrefix(t.Context(), bad); err == nil {
			t.Errorf("RemovePrefix(%q) is accepted", bad)
		}
	}
	// The credentials may lack the permission to list unfinished uploads.
	store.refuse(http.StatusForbidden, "AccessDenied", func(r *http.Request) bool { return r.URL.Query().Has("uploads") })
	if err := s.RemovePrefix(t.Context(), "run-10"); err != nil {
		t.Error(err)
	}
}

func expect(t *testing.T, err error, code jobs.Code, attribute string) {
	t.Helper()
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || e.Code != code || e.Attribute != attribute || e.Next == "" || e.Summary == "" {
		t.Errorf("err = %#v, want %s at %q with a next step", err, code, attribute)
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("a secret is in %q", err)
		}
	}
}

func TestOpenNamesTheWrongSetting(t *testing.T) {
	t.Parallel()
	answers := []struct {
		status    int
		code      string
		want      jobs.Code
		attribute string
	}{
		{404, "NoSuchBucket", jobs.CodeInvalid, "staging.s3.bucket"},
		{403, "AccessDenied", jobs.CodeForbidden, "staging.s3.bucket"},
		{403, "InvalidAccessKeyId", jobs.CodeUnauthorized, "staging.s3.access_key_id"},
		{403, "SignatureDoesNotMatch", jobs.CodeUnauthorized, "staging.s3.secret_access_key"},
		{400, "ExpiredToken", jobs.CodeUnauthorized, "staging.s3"},
		{400, "AuthorizationHeaderMalformed", jobs.CodeInvalid, "staging.s3.region"},
		{301, "PermanentRedirect", jobs.CodeInvalid, "staging.s3.region"},
	}
	for _, a := range answers {
		t.Run(a.code, func(t *testing.T) {
			t.Parallel()
			store := newStore(t)
			store.refuse(a.status, a.code, everything)
			_, err := staging.Open(t.Context(), store.cfg)
			expect(t, err, a.want, a.attribute)
		})
	}
	changes := map[string]struct {
		change    func(*staging.S3Config)
		want      jobs.Code
		attribute string
	}{
		"no bucket":        {func(c *staging.S3Config) { c.Bucket = "" }, jobs.CodeInvalid, "staging.s3.bucket"},
		"URL for a bucket": {func(c *staging.S3Config) { c.Bucket = "s3://exports" }, jobs.CodeInvalid, "staging.s3.bucket"},
		"unknown bucket":   {func(c *staging.S3Config) { c.Bucket = "nothing" }, jobs.CodeInvalid, "staging.s3.bucket"},
		"half a key":       {func(c *staging.S3Config) { c.SecretAccessKey = jobs.Secret{} }, jobs.CodeInvalid, "staging.s3.secret_access_key"},
		"other half":       {func(c *staging.S3Config) { c.AccessKeyID = "" }, jobs.CodeInvalid, "staging.s3.access_key_id"},
		"keys and profile": {func(c *staging.S3Config) { c.Profile = "x" }, jobs.CodeInvalid, "staging.s3.profile"},
		"unknown profile": {func(c *staging.S3Config) {
			c.AccessKeyID, c.SecretAccessKey, c.Profile = "", jobs.Secret{}, "no-such-profile"
		}, jobs.CodeInvalid, "staging.s3.profile"},
		"bad endpoint": {func(c *staging.S3Config) { c.Endpoint = "minio:9000" }, jobs.CodeInvalid, "staging.s3.endpoint"},
		// No process uses port 1. A port that was free before may be in use.
		"dead endpoint": {func(c *staging.S3Config) { c.Endpoint = "http://127.0.0.1:1" }, jobs.CodeUnreachable, "staging.s3.endpoint"},
		"unknown host":  {func(c *staging.S3Config) { c.Endpoint = "http://nothing.invalid" }, jobs.CodeUnreachable, "staging.s3.endpoint"},
	}
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := newStore(t).cfg
			c.change(&cfg)
			begun := time.Now()
			_, err := staging.Open(t.Context(), cfg)
			expect(t, err, c.want, c.attribute)
			if took := time.Since(begun); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}
