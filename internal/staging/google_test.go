package staging_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// googleFrontEnd refuses what Google Cloud Storage refuses of an S3 client: a signature that
// covers Accept-Encoding, which it changes, and checksums that nobody asked for. It demands
// one of DeleteObjects. It reports whether it has answered.
func googleFrontEnd(w http.ResponseWriter, r *http.Request) bool {
	refuse := func(status int, code string) bool {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>"+code+"</Message></Error>")
		return true
	}
	_, signed, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	signed, _, _ = strings.Cut(signed, ",")
	checksum := strings.Contains(strings.ToLower(signed), "x-amz-checksum-") || r.Header.Get("X-Amz-Trailer") != "" ||
		r.Header.Get("X-Amz-Sdk-Checksum-Algorithm") != "" && !r.URL.Query().Has("delete")
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/":
		return refuse(http.StatusNotFound, "NoSuchKey") // there is no token service
	case strings.Contains(signed, "accept-encoding"):
		return refuse(http.StatusForbidden, "SignatureDoesNotMatch")
	case r.URL.Query().Has("delete") && !checksum && r.Header.Get("Content-MD5") == "":
		return refuse(http.StatusBadRequest, "MissingSecurityHeader")
	case !r.URL.Query().Has("delete") && checksum:
		return refuse(http.StatusBadRequest, "ExcessHeaderValues")
	}
	return false
}

// A bucket of Google Cloud Storage is used with HMAC keys, by its S3 API: small and large
// objects, ranges, lists and removals.
func TestABucketOfGoogleCloudStorage(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	front := googleFrontEnd
	store.intercept.Store(&front)
	cfg, address := store.cfg, strings.TrimPrefix(store.cfg.Endpoint, "http://")
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	cfg.Endpoint = "http://storage.googleapis.com"
	s, err := staging.Open(t.Context(), staging.WithDial(cfg, dial))
	if err != nil {
		t.Fatal(err)
	}
	large := random(11 << 20)
	write(t, s, "run-1/small", []byte("small"))
	write(t, s, "run-1/large", large)
	if got := s.URL("run-1/"); !strings.HasPrefix(got, "gs://") {
		t.Errorf("got the URL %s, want one that Databricks on Google Cloud reads", got)
	}
	part := make([]byte, 1000)
	if n, err := s.ReadAt(t.Context(), "run-1/large", part, 6<<20); n != len(part) || err != nil || !bytes.Equal(part, large[6<<20:][:1000]) {
		t.Errorf("got %d bytes of a range, %v, want the 1000 of the object", n, err)
	}
	if found, err := s.List(t.Context(), "run-1"); err != nil || len(found) != 2 {
		t.Errorf("got the objects %v, %v, want two", found, err)
	}
	if err := s.RemovePrefix(t.Context(), "run-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ReadAt(t.Context(), "run-1/small", part, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got the error %v of a removed object, want fs.ErrNotExist", err)
	}

	expect(t, s.CheckCopy(), jobs.CodeInvalid, "staging.s3.external_location")
	cfg.ExternalLocation = "exports"
	s, err = staging.Open(t.Context(), staging.WithDial(cfg, dial))
	if err != nil {
		t.Fatal(err)
	}
	credential, err := s.CopyCredential(t.Context(), "run-1", time.Hour)
	if err != nil || s.CheckCopy() != nil || credential.Location != "exports" || credential.AccessKeyID != "" {
		t.Errorf("got the credential %+v, %v, %v, want the external location", credential, err, s.CheckCopy())
	}
}
