package staging_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// An S3 endpoint may be an IPv6 address. The bucket is then in the path: it cannot be a
// part of the host.
func TestAnIPv6Endpoint(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "[::1]:0")
	if err != nil {
		t.Skipf("LEFT OUT: it needs the address ::1: %v", err)
	}
	var asked []string // written by one request at a time
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Host+r.URL.Path)
		_, _ = w.Write([]byte("content"))
	}))
	_ = server.Listener.Close()
	server.Listener = l
	server.Start()
	defer server.Close()
	s, err := staging.Open(t.Context(), staging.S3Config{
		Bucket: "b", Region: "us-east-1", Endpoint: server.URL, UsePathStyle: true, AccessKeyID: "AKIA", SecretAccessKey: jobs.NewSecret("secret-key"),
	})
	if err != nil {
		t.Fatal(err)
	}
	content, err := s.Read(t.Context(), "key")
	if err != nil || string(content) != "content" {
		t.Errorf("got %q, %v, want the object", content, err)
	}
	// The bucket is looked at before its object is read.
	if diff := cmp.Diff([]string{l.Addr().String() + "/b", l.Addr().String() + "/b/key"}, asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}
