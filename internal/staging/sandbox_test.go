package staging_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

func sandboxConfig(s *sandboxtest.Sandbox) staging.S3Config {
	return staging.S3Config{
		Bucket: s.S3Bucket, Region: s.S3Region, Endpoint: s.S3Endpoint, UsePathStyle: true,
		AccessKeyID: s.S3AccessKey, SecretAccessKey: jobs.NewSecret(s.S3SecretKey),
	}
}

// Unlike the fake of the other tests, the sandbox's S3 verifies signatures. Its warehouse
// reads the staged files.
func TestStagedFilesAreReadByCopyInto(t *testing.T) {
	t.Parallel()
	sandbox := sandboxtest.Start(t)
	s, err := staging.Open(t.Context(), sandboxConfig(sandbox))
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, "run-1/a.csv", []byte("1,one\n2,two\n"))
	write(t, s, "run-1/b.csv", []byte("3,\"three\"\n"))
	write(t, s, "run-1/large.bin", random(20<<20))
	keys, err := s.CopyCredential(t.Context(), "run-1", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	sandbox.Exec(t, "CREATE TABLE main.default.loaded (id BIGINT, name STRING)",
		fmt.Sprintf("COPY INTO main.default.loaded FROM (SELECT _c0::BIGINT AS id, _c1::STRING AS name FROM '%s' "+
			"WITH (CREDENTIAL (AWS_ACCESS_KEY = '%s', AWS_SECRET_KEY = '%s', AWS_SESSION_TOKEN = '%s'))) FILEFORMAT = CSV FILES = ('a.csv', 'b.csv')",
			s.URL("run-1/"), keys.AccessKeyID, keys.SecretAccessKey.Reveal(), keys.SessionToken.Reveal()))
	if got := fmt.Sprint(sandbox.Query(t, "SELECT id, name FROM main.default.loaded ORDER BY id")); got != "[[1 one] [2 two] [3 three]]" {
		t.Errorf("loaded: %s", got)
	}
	if err := s.RemovePrefix(t.Context(), "run-1"); err != nil {
		t.Fatal(err)
	}
	if left, err := s.List(t.Context(), "run-1"); len(left) != 0 || err != nil {
		t.Errorf("left: %v, %v", left, err)
	}

	cfg := sandboxConfig(sandbox)
	cfg.SecretAccessKey = jobs.NewSecret("canary-wrong")
	_, err = staging.Open(t.Context(), cfg)
	expect(t, err, jobs.CodeUnauthorized, "staging.s3.secret_access_key")
	cfg = sandboxConfig(sandbox)
	cfg.AccessKeyID = "AKIAUNKNOWN"
	_, err = staging.Open(t.Context(), cfg)
	expect(t, err, jobs.CodeUnauthorized, "staging.s3.access_key_id")
}

// A transient error of S3 does not fail an export.
func TestTransientErrorsAreRetried(t *testing.T) {
	t.Parallel()
	sandbox := sandboxtest.Start(t)
	s, err := staging.Open(t.Context(), sandboxConfig(sandbox))
	if err != nil {
		t.Fatal(err)
	}
	sandbox.SetFault(t, sandboxtest.Fault{Kind: "s3_error", On: "PutObject,UploadPart", Times: 2})
	write(t, s, "run-1/small.csv", []byte("x"))
	sandbox.ClearFaults(t)
	sandbox.SetFault(t, sandboxtest.Fault{Kind: "s3_error", On: "PutObject,UploadPart", Times: 2})
	write(t, s, "run-1/large.bin", random(20<<20))
	if got, err := s.List(t.Context(), "run-1"); len(got) != 2 || err != nil {
		t.Errorf("listed: %v, %v", got, err)
	}
}
