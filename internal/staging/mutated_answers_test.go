package staging_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

func xmlAnswer(body string) hostiletest.Recording {
	return hostiletest.Recording{Status: http.StatusOK, Header: map[string]string{"Content-Type": "application/xml"}, Body: body}
}

const stagedContent = "id,total\n1,2.50\n"

// bucketAnswers are valid answers of a bucket and of the token service, by their operation.
var bucketAnswers = map[string]hostiletest.Recording{
	"list": xmlAnswer(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<ListBucketResult><Name>exports</Name>` +
		`<Prefix>lytics/staging/run-1/</Prefix><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>` +
		`<Contents><Key>lytics/staging/run-1/a</Key><LastModified>2024-06-01T00:00:00.000Z</LastModified><ETag>&quot;ab&quot;</ETag>` +
		`<Size>12</Size><StorageClass>STANDARD</StorageClass></Contents><Contents><Key>lytics/staging/run-1/b</Key><Size>7</Size></Contents>` +
		`</ListBucketResult>`),
	"delete": xmlAnswer(`<DeleteResult><Deleted><Key>lytics/staging/run-1/a</Key></Deleted>` +
		`<Deleted><Key>lytics/staging/run-1/b</Key></Deleted></DeleteResult>`),
	"uploads": xmlAnswer(`<ListMultipartUploadsResult><Bucket>exports</Bucket><IsTruncated>false</IsTruncated><Upload>` +
		`<Key>lytics/staging/run-1/c</Key><UploadId>u1</UploadId></Upload></ListMultipartUploadsResult>`),
	"abort": {Status: http.StatusNoContent},
	"read": {Status: http.StatusPartialContent, Body: stagedContent,
		Header: map[string]string{"Content-Type": "text/csv", "ETag": `"ab"`, "Content-Range": "bytes 0-15/16"}},
	"put":      {Status: http.StatusOK, Header: map[string]string{"ETag": `"ab"`}},
	"create":   xmlAnswer(`<InitiateMultipartUploadResult><Bucket>exports</Bucket><Key>k</Key><UploadId>u1</UploadId></InitiateMultipartUploadResult>`),
	"part":     {Status: http.StatusOK, Header: map[string]string{"ETag": `"cd"`}},
	"complete": xmlAnswer(`<CompleteMultipartUploadResult><Bucket>exports</Bucket><Key>k</Key><ETag>"ef-2"</ETag></CompleteMultipartUploadResult>`),
	"keys": xmlAnswer(`<GetFederationTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetFederationTokenResult><Credentials>` +
		`<AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>shhh</SecretAccessKey><SessionToken>session</SessionToken>` +
		`<Expiration>2124-06-01T00:00:00Z</Expiration></Credentials></GetFederationTokenResult></GetFederationTokenResponse>`),
}

// bucketOperation names the operation of a request.
func bucketOperation(r *http.Request) string {
	q := r.URL.Query()
	switch {
	case r.URL.Path == "/" && r.Method == http.MethodPost:
		return "keys"
	case q.Has("delete"):
		return "delete"
	case q.Has("uploads") && r.Method == http.MethodGet:
		return "uploads"
	case q.Has("uploads"):
		return "create"
	case q.Has("uploadId"):
		return map[string]string{http.MethodPut: "part", http.MethodPost: "complete", http.MethodDelete: "abort"}[r.Method]
	case q.Has("list-type"):
		return "list"
	case r.Method == http.MethodPut:
		return "put"
	}
	return "read"
}

// large needs two parts.
var large = bytes.Repeat([]byte("x"), 5<<20+1)

// stagingResults are calls with their results: the number of entries, or a text.
var stagingResults = map[string]func(ctx context.Context, s *staging.S3) (any, error){
	"list": func(ctx context.Context, s *staging.S3) (any, error) {
		l, err := s.List(ctx, "run-1")
		return len(l), err
	},
	"remove": func(ctx context.Context, s *staging.S3) (any, error) { return nil, s.RemovePrefix(ctx, "run-1") },
	"read": func(ctx context.Context, s *staging.S3) (any, error) {
		b, err := s.Read(ctx, "run-1/a")
		return string(b), err
	},
	"keys": func(ctx context.Context, s *staging.S3) (any, error) {
		c, err := s.CopyCredential(ctx, "run-1", time.Hour)
		return c, err
	},
	"write": func(ctx context.Context, s *staging.S3) (any, error) {
		return nil, writeAll(ctx, s, []byte(stagedContent))
	},
	"write parts": func(ctx context.Context, s *staging.S3) (any, error) { return nil, writeAll(ctx, s, large) },
}

func writeAll(ctx context.Context, s *staging.S3, content []byte) error {
	w, err := s.Create(ctx, "run-1/a")
	if err != nil {
		return err
	}
	_, err = io.Copy(w, bytes.NewReader(content))
	return errors.Join(err, w.Close())
}

// Checklist 73: a mutated answer of S3 or of the token service is an error or is read as it
// is, and a write that is not confirmed is no success.
func TestMutatedAnswersOfStaging(t *testing.T) {
	t.Parallel()
	// The call and the operation whose answer is mutated.
	cases := [][2]string{
		{"list", "list"}, {"remove", "list"}, {"remove", "delete"}, {"remove", "uploads"}, {"remove", "abort"}, {"read", "read"}, {"keys", "keys"},
		{"list", "list"}, {"remove", "delete"}, {"read", "read"}, {"keys", "keys"}, {"write", "put"}, {"write", "put"},
		{"write parts", "create"}, {"write parts", "part"}, {"write parts", "complete"},
	}
	hostiletest.InProcess(t, func(t *testing.T) {
		t.Helper()
		hostiletest.EachSeed(t, true, func(t *testing.T, r *rand.Rand) error {
			t.Helper()
			c := cases[r.IntN(len(cases))]
			call, operation := c[0], c[1]
			mutant := hostiletest.Mutate(r, bucketAnswers[operation])
			opened := false
			s, err := staging.Open(t.Context(), staging.WithDial(staging.S3Config{
				Bucket: "exports", Prefix: "lytics/staging", Region: "eu-central-1", Endpoint: "http://127.0.0.1:9000", UsePathStyle: true,
				AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: jobs.NewSecret("canary-secret"),
			}, hostiletest.Serve(func(r *http.Request) hostiletest.Recording {
				if asked := bucketOperation(r); !opened || asked != operation {
					return bucketAnswers[asked]
				}
				return mutant
			})))
			if err != nil {
				return err
			}
			opened = true
			began := time.Now()
			got, err := stagingResults[call](t.Context(), s)
			if took := time.Since(began); took > 25*time.Minute {
				return fmt.Errorf("%s took %s with %s", call, took, mutant)
			}
			if err = checkStagingResult(call, operation, mutant, got, err); err != nil {
				return fmt.Errorf("%s, %s: %s: %w", call, operation, mutant, err)
			}
			return nil
		})
	})
}

func checkStagingResult(call, operation string, mutant hostiletest.Recording, got any, err error) error {
	if err != nil {
		return hostiletest.CheckError(err, mutant.Missing() || strings.Contains(mutant.Body, "NoSuch"))
	}
	if operation == "uploads" || operation == "abort" {
		return nil // the objects are removed; a rule of the bucket can abort uploads
	}
	text, ok := mutant.Text(false)
	if operation == "read" && mutant.Status/100 == 2 && len(mutant.Body) >= 64<<10 {
		text, ok = mutant.Body, true // Read does not read on
	}
	if !ok && operation == "read" && mutant.Status == http.StatusRequestedRangeNotSatisfiable && got == "" {
		return nil // an empty object
	}
	if !ok && operation == "put" && mutant.Status/100 == 2 || operation == "part" && mutant.Status/100 == 2 {
		return nil // the header confirms it
	}
	if !ok && mutant.Status/100 == 2 && operation != "read" {
		text, ok = mutant.Body, true // what follows the root does not count
	}
	if !ok {
		return errors.New("an answer that is no success, or incomplete, is a success")
	}
	switch entries, count, malformed := xmlEntries(text, map[string]string{"list": "Contents", "delete": "Deleted"}[operation]); {
	case operation == "read" && got != text[:min(len(text), 64<<10)]:
		return fmt.Errorf("the object is %q", got)
	case operation == "put" && mutant.Header["ETag"] == "":
		return errors.New("a write without an ETag is a success")
	case operation == "put" || operation == "read" || operation == "part":
	case malformed != nil && operation != "keys" && operation != "create":
		return fmt.Errorf("a malformed answer is a success: %w", malformed)
	case call == "list" && (got != entries || entries < count):
		return fmt.Errorf("the list has %v of %d entries, and a count of %d", got, entries, count)
	case operation == "delete" && entries < 2:
		return fmt.Errorf("%d of 2 removals were confirmed", entries)
	case operation == "complete" && !strings.Contains(strings.ToLower(text), "etag"):
		return errors.New("an upload without an ETag is a success")
	case operation == "keys":
		if c, _ := got.(staging.CopyCredential); c.AccessKeyID == "" || c.SecretAccessKey.Empty() || c.SessionToken.Empty() {
			return errors.New("empty keys are a success")
		}
	}
	return nil
}

// xmlEntries counts the elements of a name below the root, and returns their count that the
// answer has.
func xmlEntries(text, name string) (entries, count int, err error) {
	d := xml.NewDecoder(strings.NewReader(text))
	for depth := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return entries, count, nil
		}
		if err != nil {
			return entries, count, err
		}
		switch e := token.(type) {
		case xml.StartElement:
			if depth++; depth == 2 && strings.EqualFold(e.Name.Local, name) {
				entries++
			}
			if depth == 2 && strings.EqualFold(e.Name.Local, "KeyCount") {
				var n int
				if err := d.DecodeElement(&n, &e); err == nil {
					count = n
				}
				depth--
			}
		case xml.EndElement:
			if depth--; depth == 0 {
				return entries, count, nil // what follows the root is not read
			}
		}
	}
}
