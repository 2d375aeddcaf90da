package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/s3"
)

var good = objectstore.Credential{AccessKey: "AKIATEST", SecretKey: "secret/with+signs="}

func start(t *testing.T, dir string, faults *fault.Set) (*s3.Store, func(objectstore.Credential) *awss3.Client) {
	t.Helper()
	store, err := s3.New(s3.Options{Bucket: "staging", Credential: good, Dir: dir, Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(store)
	t.Cleanup(server.Close)
	return store, func(c objectstore.Credential) *awss3.Client {
		return awss3.New(awss3.Options{
			BaseEndpoint: aws.String(server.URL), Region: s3.Region, UsePathStyle: true, RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, c.SessionToken),
		})
	}
}

func put(ctx context.Context, c *awss3.Client, key, body string) error {
	_, err := c.PutObject(ctx, &awss3.PutObjectInput{Bucket: aws.String("staging"), Key: aws.String(key), Body: strings.NewReader(body)})
	return err
}

func TestEngineReadsWhatAClientWrote(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"memory": "", "directory": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			store, client := start(t, dir, nil)
			c := client(good)
			for _, key := range []string{"run/1/a b+ü.csv", "run/1/part-2.csv", "run/2/x.csv"} {
				if err := put(ctx, c, key, "body of "+key); err != nil {
					t.Fatal(err)
				}
			}
			objects, err := store.List(ctx, "staging", "run/1/", good)
			if err != nil || len(objects) != 2 || objects[0].Key != "run/1/a b+ü.csv" || objects[0].Size != int64(len("body of run/1/a b+ü.csv")) || objects[0].ETag == "" {
				t.Fatalf("%+v, %v", objects, err)
			}
			r, err := store.Open(ctx, "staging", objects[0].Key, good)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r)
			if err = errors.Join(err, r.Close()); err != nil || string(body) != "body of run/1/a b+ü.csv" {
				t.Fatalf("%q, %v", body, err)
			}
			listed, err := c.ListObjectsV2(ctx, &awss3.ListObjectsV2Input{Bucket: aws.String("staging"), Prefix: aws.String("run/")})
			if err != nil || len(listed.Contents) != 3 {
				t.Fatalf("%v, %v", listed, err)
			}
		})
	}
}

func TestMultipartUpload(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store, client := start(t, "", nil)
	c := client(good)
	bucket, key := aws.String("staging"), aws.String("big")
	upload := func() *string {
		t.Helper()
		out, err := c.CreateMultipartUpload(ctx, &awss3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		return out.UploadId
	}
	part := bytes.Repeat([]byte("0123456789"), 600_000)
	id := upload()
	var parts []types.CompletedPart
	for n := int32(1); n <= 2; n++ {
		out, err := c.UploadPart(ctx, &awss3.UploadPartInput{Bucket: bucket, Key: key, UploadId: id, PartNumber: aws.Int32(n), Body: bytes.NewReader(part)})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{ETag: out.ETag, PartNumber: aws.Int32(n)})
	}
	if _, err := c.CompleteMultipartUpload(ctx, &awss3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}}); err != nil {
		t.Fatal(err)
	}
	r, err := store.Open(ctx, "staging", "big", good)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil || !bytes.Equal(body, append(bytes.Clone(part), part...)) {
		t.Fatalf("%d bytes, %v", len(body), err)
	}
	if _, err := c.AbortMultipartUpload(ctx, &awss3.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: upload()}); err != nil {
		t.Fatal(err)
	}
	left, err := c.ListMultipartUploads(ctx, &awss3.ListMultipartUploadsInput{Bucket: bucket})
	if err != nil || len(left.Uploads) != 0 {
		t.Fatalf("%v, %v", left, err)
	}
}

func TestWrongCredentialsAreRefused(t *testing.T) {
	t.Parallel()
	store, client := start(t, "", nil)
	for want, c := range map[string]objectstore.Credential{
		"InvalidAccessKeyId":    {AccessKey: "AKIAOTHER", SecretKey: good.SecretKey},
		"SignatureDoesNotMatch": {AccessKey: good.AccessKey, SecretKey: "wrong"},
		"InvalidToken":          {AccessKey: good.AccessKey, SecretKey: good.SecretKey, SessionToken: "stale"},
	} {
		err := put(t.Context(), client(c), "x", "y")
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != want {
			t.Errorf("client: %v, want %s", err, want)
		}
		var e *s3.Error
		if _, err := store.List(t.Context(), "staging", "", c); !errors.As(err, &e) || e.Code != want {
			t.Errorf("engine: %v, want %s", err, want)
		}
	}
	var e *s3.Error
	if _, err := store.List(t.Context(), "staging", "", objectstore.Credential{}); !errors.As(err, &e) || e.Code != "AccessDenied" {
		t.Errorf("without a credential: %v", err)
	}
	if _, err := store.List(t.Context(), "elsewhere", "", good); !errors.As(err, &e) || e.Code != "NoSuchBucket" {
		t.Errorf("unknown bucket: %v", err)
	}
	if _, err := store.Open(t.Context(), "staging", "nothing", good); !errors.As(err, &e) || e.Code != "NoSuchKey" {
		t.Errorf("unknown key: %v", err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	faults := &fault.Set{}
	_, client := start(t, "", faults)
	for _, f := range []fault.Fault{
		{Kind: fault.S3Error, After: 1, Match: "^run/"},
		{Kind: fault.S3Slow, Delay: fault.Duration(50 * time.Millisecond), Match: "^slow"},
	} {
		if _, err := faults.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	c := client(good)
	var got []string
	for i := range 3 {
		err := put(t.Context(), c, fmt.Sprintf("run/%d", i), "x")
		var api smithy.APIError
		if errors.As(err, &api) {
			got = append(got, api.ErrorCode())
		} else {
			got = append(got, fmt.Sprint(err))
		}
	}
	if fmt.Sprint(got) != "[<nil> SlowDown <nil>]" {
		t.Errorf("got %v", got)
	}
	begun := time.Now()
	if err := put(t.Context(), c, "slow", "x"); err != nil || time.Since(begun) < 50*time.Millisecond {
		t.Errorf("%v after %s", err, time.Since(begun))
	}
}
