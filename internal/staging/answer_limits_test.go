package staging_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// hostile opens a store whose later answers are those of a handler.
func hostile(t *testing.T, answer http.Handler) *staging.S3 {
	t.Helper()
	store := newStore(t)
	s := store.open(t)
	f := func(w http.ResponseWriter, r *http.Request) bool {
		answer.ServeHTTP(w, r)
		return true
	}
	store.intercept.Store(&f)
	return s
}

var stagingCalls = map[string]func(ctx context.Context, s *staging.S3) error{
	"list":   func(ctx context.Context, s *staging.S3) error { _, err := s.List(ctx, "run-1"); return err },
	"read":   func(ctx context.Context, s *staging.S3) error { _, err := s.Read(ctx, "run-1/a"); return err },
	"remove": func(ctx context.Context, s *staging.S3) error { return s.RemovePrefix(ctx, "run-1") },
	"credential": func(ctx context.Context, s *staging.S3) error {
		_, err := s.CopyCredential(ctx, "run-1", time.Hour)
		return err
	},
}

// checklist 74: whatever S3 and the token service answer, each call ends, and in little
// memory. The content of an object may be anything.
func TestHostileAnswersOfStaging(t *testing.T) {
	t.Parallel()
	hostiletest.InProcess(t, func(t *testing.T) {
		t.Helper()
		staging.HurryRetries()
		const entry = "<Contents></Contents>"
		answers := append(hostiletest.Answers("<ListBucketResult>", entry),
			hostiletest.Finite("<ListBucketResult>", entry, "</ListBucketRes>", 190_000))
		for name, call := range stagingCalls {
			for _, answer := range answers {
				for _, status := range []int{http.StatusOK, http.StatusBadRequest} {
					s := hostile(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						answer.ServeHTTP(&withStatus{w, status}, r)
					}))
					err := call(t.Context(), s)
					if name == "read" && status == http.StatusOK {
						continue
					}
					e, ok := errors.AsType[*jobs.Error](err)
					if !ok || e.Code == jobs.CodeNotFound || e.Next == "" || e.Summary == "" || len(err.Error()) > 5000 {
						t.Errorf("%s, %s, status %d: got %.2000v", name, answer.Name, status, err)
					}
				}
			}
		}
	})
}

// withStatus answers with a status, if the handler writes a body.
type withStatus struct {
	http.ResponseWriter
	status int
}

func (w *withStatus) Write(p []byte) (int, error) {
	if w.status != 0 {
		w.WriteHeader(w.status)
		w.status = 0
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *withStatus) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// checklist 74: the error names the host and the limit.
func TestALargeListOfStagingIsExplained(t *testing.T) {
	t.Parallel()
	s := hostile(t, hostiletest.Answers("<ListBucketResult>", "<Contents></Contents>")[2])
	_, err := s.List(t.Context(), "run-1")
	expect(t, err, jobs.CodeFailed, "staging.s3.endpoint")
	if err == nil || !strings.Contains(err.Error(), "to GET is larger than 4 MiB") {
		t.Errorf("got %v", err)
	}
}

// checklist 74: a list that names a next page without end is an error.
func TestEndlessPagesOfStaging(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(n int64) string{
		"the same token":    func(int64) string { return "again" },
		"a cycle of tokens": func(n int64) string { return fmt.Sprint(n % 7) },
	} {
		var n atomic.Int64
		s := hostile(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token := next(n.Add(1))
			if r.URL.Query().Has("uploads") {
				_, _ = fmt.Fprintf(w, "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>%s</NextKeyMarker>"+
					"<NextUploadIdMarker>%s</NextUploadIdMarker></ListMultipartUploadsResult>", token, token)
				return
			}
			_, _ = fmt.Fprintf(w, "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>lytics/staging/run-1/a</Key></Contents>"+
				"<NextContinuationToken>%s</NextContinuationToken></ListBucketResult>", token)
		}))
		_, err := s.List(t.Context(), "run-1")
		expect(t, err, jobs.CodeFailed, "staging.s3.endpoint")
		if err == nil || !strings.Contains(err.Error(), "the list does not end") || n.Load() > 100 {
			t.Errorf("%s: got %v after %d pages", name, err, n.Load())
		}
	}
}

// checklist 74: a byte a second without end ends.
func TestDrippingAnswersOfStaging(t *testing.T) {
	t.Parallel()
	for name, dial := range map[string]hostiletest.Dial{"body": hostiletest.Drip(' '), "header": hostiletest.DripHeader()} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			_, err := staging.Open(t.Context(), staging.WithDial(staging.S3Config{
				Bucket: "exports", Region: "eu-central-1", Endpoint: "http://127.0.0.1:9000", UsePathStyle: true,
				AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: jobs.NewSecret("canary-secret"),
			}, dial))
			if !jobs.IsCode(err, jobs.CodeUnreachable) || time.Since(began) > 2*time.Minute {
				t.Errorf("%s: got %v after %s", name, err, time.Since(began))
			}
		})
	}
}
