// Package s3test starts an S3 server in the test's process. Other processes of the
// test may use it too.
package s3test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

const bucket = "lytics-test"

// Server is an S3 with one bucket.
type Server struct {
	// Config opens the bucket.
	Config staging.S3Config

	client    *s3.Client
	intercept atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
}

// New starts a server that ends with the test.
func New(tb testing.TB) *Server {
	tb.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(bucket); err != nil {
		tb.Fatal(err)
	}
	s := &Server{}
	fake := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := s.intercept.Load(); f != nil && (*f)(w, r) {
			return
		}
		fake.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	s.Config = Config(server.URL)
	s.client = s3.New(s3.Options{
		BaseEndpoint: aws.String(server.URL), UsePathStyle: true, Region: s.Config.Region,
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
	return s
}

// Config returns the configuration with which another process opens the bucket of
// the server at a URL.
func Config(endpoint string) staging.S3Config {
	return staging.S3Config{
		Bucket: bucket, Prefix: "lytics", Region: "eu-central-1", Endpoint: endpoint, UsePathStyle: true,
		AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: jobs.NewSecret("canary-secret"),
	}
}

// Intercept calls f first for each request; a request for which f returns false is
// served as usual. A nil f ends it.
func (s *Server) Intercept(f func(http.ResponseWriter, *http.Request) bool) {
	if f == nil {
		s.intercept.Store(nil)
		return
	}
	s.intercept.Store(&f)
}

// Objects gives all objects by key.
func (s *Server) Objects(tb testing.TB) map[string][]byte {
	tb.Helper()
	ctx := context.Background()
	objects := map[string][]byte{}
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			tb.Fatal(err)
		}
		for _, o := range page.Contents {
			out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: o.Key})
			if err != nil {
				tb.Fatal(err)
			}
			content, err := io.ReadAll(out.Body)
			if err = errors.Join(err, out.Body.Close()); err != nil {
				tb.Fatal(err)
			}
			objects[aws.ToString(o.Key)] = content
		}
	}
	return objects
}

// Put writes an object.
func (s *Server) Put(tb testing.TB, key string, content []byte) {
	tb.Helper()
	if _, err := s.client.PutObject(
		context.Background(),
		&s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: bytes.NewReader(content)},
	); err != nil {
		tb.Fatal(err)
	}
}

// Remove removes an object.
func (s *Server) Remove(tb testing.TB, key string) {
	tb.Helper()
	if _, err := s.client.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: &key}); err != nil {
		tb.Fatal(err)
	}
}
