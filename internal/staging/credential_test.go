package staging_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

const sandboxRole = "arn:aws:iam::000000000000:role/sandbox"

func openSandbox(t *testing.T, s *sandboxtest.Sandbox, change func(*staging.S3Config)) *staging.S3 {
	t.Helper()
	cfg := sandboxConfig(s)
	if change != nil {
		change(&cfg)
	}
	area, err := staging.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return area
}

// with returns clients of S3 and of the token service that use temporary keys.
func with(s *sandboxtest.Sandbox, c staging.CopyCredential) (*awss3.Client, *sts.Client) {
	keys := credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken.Reveal())
	return awss3.New(awss3.Options{
			BaseEndpoint: aws.String(s.S3Endpoint), Region: s.S3Region, UsePathStyle: true, RetryMaxAttempts: 1, Credentials: keys,
		}),
		sts.New(sts.Options{BaseEndpoint: aws.String(s.S3Endpoint), Region: s.S3Region, RetryMaxAttempts: 1, Credentials: keys})
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

// checklist 55: COPY INTO never contains a long-lived key. Its keys can read only the
// run's prefix, and expire after the statement.
func TestTemporaryKeysReadOnlyTheRunsPrefix(t *testing.T) {
	t.Parallel()
	sandbox := sandboxtest.Start(t, sandboxtest.WithArgs("-s3-short-lived", "-s3-external-id", "ours", "-s3-role-max-session", "12h"))
	for name, change := range map[string]func(*staging.S3Config){
		"GetFederationToken": nil,
		"AssumeRole":         func(c *staging.S3Config) { c.RoleARN, c.ExternalID = sandboxRole, "ours" },
		"with a prefix":      func(c *staging.S3Config) { c.Prefix = "deep/down" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			area := openSandbox(t, sandbox, change)
			write(t, area, name+"/run/1/a.csv", []byte("1\n"))
			write(t, area, name+"/run/10/a.csv", []byte("secret\n"))
			got, err := area.CopyCredential(t.Context(), name+"/run/1/", 2*time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			if got.AccessKeyID == sandbox.S3AccessKey || got.SecretAccessKey.Reveal() == sandbox.S3SecretKey || got.SessionToken.Empty() {
				t.Fatalf("not a minted key: %s", got.AccessKeyID)
			}
			if life := time.Until(got.Expires); life < 2*time.Hour || life > 3*time.Hour {
				t.Errorf("it lives %s", life)
			}
			s3, tokens := with(sandbox, got)
			key := func(k string) *string {
				_, k, _ = strings.Cut(strings.TrimPrefix(area.URL(k), "s3://"), "/")
				return &k
			}
			bucket := &sandbox.S3Bucket
			get := func(k string) error {
				out, err := s3.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: bucket, Key: key(k)})
				if err == nil {
					_ = out.Body.Close()
				}
				return err
			}
			list := func(prefix *string) error {
				_, err := s3.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: bucket, Prefix: prefix})
				return err
			}
			for what, err := range map[string]error{
				"read its file": get(name + "/run/1/a.csv"), "list its prefix": list(key(name + "/run/1/")),
				"the bucket's location": func() error {
					_, err := s3.GetBucketLocation(t.Context(), &awss3.GetBucketLocationInput{Bucket: bucket})
					return err
				}(),
			} {
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			for what, err := range map[string]error{
				"read another run": get(name + "/run/10/a.csv"), "list another run": list(key(name + "/run/10/")), "list all": list(nil),
				"write": func() error {
					_, err := s3.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: bucket, Key: key(name + "/run/1/b.csv"), Body: strings.NewReader("x")})
					return err
				}(),
				"delete": func() error {
					_, err := s3.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: bucket, Key: key(name + "/run/1/a.csv")})
					return err
				}(),
				"assume the role": func() error {
					_, err := tokens.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(sandboxRole), RoleSessionName: aws.String("more"), ExternalId: aws.String("ours")})
					return err
				}(),
			} {
				if code(err) != "AccessDenied" {
					t.Errorf("%s: %v", what, err)
				}
			}
			if text := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(text, got.SecretAccessKey.Reveal()) || strings.Contains(text, got.SessionToken.Reveal()) {
				t.Errorf("the credential prints its secret")
			}
		})
	}
}

// checklist 55: a configured credential is used by its name. The keys of a role may
// expire before the statement ends; Expires says so.
func TestConfiguredCredentialIsUsed(t *testing.T) {
	t.Parallel()
	sandbox := sandboxtest.Start(t)
	s := openSandbox(t, sandbox, func(c *staging.S3Config) { c.Credential = "sandbox_storage" })
	got, err := s.CopyCredential(t.Context(), "run", time.Hour)
	if err != nil || got != (staging.CopyCredential{Name: "sandbox_storage"}) {
		t.Errorf("named: %v, %v", got, err)
	}
	s = openSandbox(t, sandbox, func(c *staging.S3Config) { c.ExternalLocation = "exports" })
	got, err = s.CopyCredential(t.Context(), "run", time.Hour)
	if err != nil || got != (staging.CopyCredential{Location: "exports"}) {
		t.Errorf("external location: %v, %v", got, err)
	}
	got, err = openSandbox(t, sandbox, func(c *staging.S3Config) { c.RoleARN = sandboxRole }).CopyCredential(t.Context(), "run", 5*time.Hour)
	if life := time.Until(got.Expires); err != nil || life > time.Hour || life < 50*time.Minute {
		t.Errorf("a role of an hour gave %s, %v", life, err)
	}
	got, err = openSandbox(t, sandbox, nil).CopyCredential(t.Context(), "run", 100*time.Hour)
	if life := time.Until(got.Expires); err != nil || life > 36*time.Hour || life < 35*time.Hour {
		t.Errorf("a user gave %s, %v", life, err)
	}
	// A role that may not be assumed fails before anything is uploaded.
	cfg := sandboxConfig(sandbox)
	cfg.RoleARN = "arn:aws:iam::000000000000:role/other"
	_, err = staging.Open(t.Context(), cfg)
	expect(t, err, jobs.CodeForbidden, "staging.s3.role_arn")
	cfg.RoleARN, cfg.ExternalID = "", "x"
	_, err = staging.Open(t.Context(), cfg)
	expect(t, err, jobs.CodeInvalid, "staging.s3.external_id")
	cfg.ExternalID, cfg.Credential, cfg.ExternalLocation = "", "a", "b"
	_, err = staging.Open(t.Context(), cfg)
	expect(t, err, jobs.CodeInvalid, "staging.s3.credential")
	cfg.Credential, cfg.ExternalLocation, cfg.STSEndpoint = "", "", "sts:443"
	_, err = staging.Open(t.Context(), cfg)
	expect(t, err, jobs.CodeInvalid, "staging.s3.sts_endpoint")
}

// The keys of AWS' credential chain usually belong to a role, and only by assuming that
// role can narrower keys be requested. The test sets environment variables of the
// process, so it does not run in parallel.
func TestKeysOfARoleSessionAreNarrowed(t *testing.T) {
	sandbox := sandboxtest.Start(t)
	_, tokens := with(sandbox, staging.CopyCredential{AccessKeyID: sandbox.S3AccessKey, SecretAccessKey: jobs.NewSecret(sandbox.S3SecretKey)})
	role, err := tokens.AssumeRole(context.Background(), &sts.AssumeRoleInput{RoleArn: aws.String(sandboxRole), RoleSessionName: aws.String("machine")})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", *role.Credentials.AccessKeyId)
	t.Setenv("AWS_SECRET_ACCESS_KEY", *role.Credentials.SecretAccessKey)
	t.Setenv("AWS_SESSION_TOKEN", *role.Credentials.SessionToken)
	chain := func(c *staging.S3Config) { c.AccessKeyID, c.SecretAccessKey = "", jobs.Secret{} }
	area := openSandbox(t, sandbox, chain)
	write(t, area, "run-1/a.csv", []byte("1\n"))
	// A session of a chained role lasts an hour at most.
	got, err := area.CopyCredential(t.Context(), "run-1", 2*time.Hour)
	if err != nil || got.AccessKeyID == *role.Credentials.AccessKeyId || time.Until(got.Expires) > time.Hour {
		t.Fatalf("%v until %s, %v", got, got.Expires, err)
	}
	s3, _ := with(sandbox, got)
	if _, err := s3.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: &sandbox.S3Bucket}); code(err) != "AccessDenied" {
		t.Errorf("it lists everything: %v", err)
	}

	// Keys of a federated user cannot be narrowed, so they are not used in COPY INTO.
	user, err := tokens.GetFederationToken(context.Background(), &sts.GetFederationTokenInput{Name: aws.String("me"),
		Policy: aws.String(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", *user.Credentials.AccessKeyId)
	t.Setenv("AWS_SECRET_ACCESS_KEY", *user.Credentials.SecretAccessKey)
	t.Setenv("AWS_SESSION_TOKEN", *user.Credentials.SessionToken)
	_, err = openSandbox(t, sandbox, chain).CopyCredential(t.Context(), "run-1", time.Hour)
	expect(t, err, jobs.CodeForbidden, "staging.s3.role_arn")
}
