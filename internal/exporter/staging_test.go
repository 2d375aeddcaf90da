package exporter_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

var twoProfiles = fakeAudience{fields: fields("id", "int", "name", "string"), rows: [][]jobs.Value{row("1", "one"), row("2", "two")}}

// wantTwoProfiles asserts that the target holds the audience twoProfiles.
func (b *fixture) wantTwoProfiles() {
	b.t.Helper()
	if got := fmt.Sprint(b.query("SELECT id, name FROM " + b.table() + " ORDER BY id")); got != "[[1 one] [2 two]]" {
		b.t.Errorf("got the rows %s, want [[1 one] [2 two]]", got)
	}
}

// checklist 55: the export works with every kind of credential for the bucket. No
// statement has the long-lived key, and with a named credential none has any key.
func TestNoStatementHasTheLongLivedKey(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithArgs("-s3-external-location"))
	for name, c := range map[string]struct {
		cfg  staging.S3Config
		with string
	}{
		"minted for a user":  {staging.S3Config{}, "AWS_SESSION_TOKEN"},
		"minted for a role":  {staging.S3Config{RoleARN: "arn:aws:iam::000000000000:role/sandbox"}, "AWS_SESSION_TOKEN"},
		"storage credential": {staging.S3Config{Credential: "sandbox_storage"}, "WITH (CREDENTIAL `sandbox_storage`)"},
		"external location":  {staging.S3Config{ExternalLocation: "exports"}, "FROM 's3://"},
		"unknown credential": {staging.S3Config{Credential: "nobody's"}, ""},
	} {
		b := newFixture(t, s)
		b.staging = s3Staging{b.open(c.cfg)}
		s.ForgetStatements(t)
		err := b.export(twoProfiles).Run(t.Context())
		b.wantNoLeftovers()
		if c.with == "" {
			if err == nil {
				t.Errorf("%s: got no error, want one", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: got the error %v, want none", name, err)
			continue
		}
		b.wantTwoProfiles()
		var copies int
		for _, st := range s.Statements(t) {
			if strings.Contains(st.Text, s.S3SecretKey) || strings.Contains(st.Text, s.S3AccessKey) {
				t.Errorf("%s: got a statement with the long-lived key, want none", name)
			}
			if !strings.HasPrefix(st.Text, "COPY INTO") {
				continue
			}
			copies++
			if !strings.Contains(st.Text, c.with) || c.with != "AWS_SESSION_TOKEN" && strings.Contains(st.Text, "AWS_") {
				t.Errorf("%s: got the statement %s, want one with %s", name, redact.Text(st.Text), c.with)
			}
		}
		if copies != 1 {
			t.Errorf("%s: got %d COPY INTO, want 1", name, copies)
		}
	}
}

// checklist 55: an error that repeats the statement has none of its keys.
func TestErrorsHaveNoKeys(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newFixture(t, s)
	var minted staging.CopyCredential
	b.staging = credentialWatch{b.staging, func(c staging.CopyCredential) {
		minted = c
		s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", On: "ExecuteStatement", Match: "^COPY INTO", Times: -1, SQLState: "XX000",
			Message: "[INTERNAL_ERROR] cannot run COPY INTO t FROM 's3://b' WITH (CREDENTIAL (AWS_SECRET_KEY = '" +
				c.SecretAccessKey.Reveal() + "')), token " + c.SessionToken.Reveal() + " of " + c.AccessKeyID})
	}}
	err := b.export(twoProfiles).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "cannot run COPY INTO") {
		t.Fatalf("got the error %v, want the warehouse's", err)
	}
	for _, secret := range minted.Secrets() {
		if text := fmt.Sprintf("%v %+v %#v %+v", err, err, err, b.progress.counts); strings.Contains(text, secret.Reveal()) {
			t.Errorf("got the error %v with a key, want it without", err)
		}
	}
	b.wantNoLeftovers()
}

// credentialWatch passes each credential that is created on to a function.
type credentialWatch struct {
	exporter.Staging
	minted func(staging.CopyCredential)
}

func (m credentialWatch) CopyCredential(ctx context.Context, prefix string, statement time.Duration) (staging.CopyCredential, error) {
	c, err := m.Staging.CopyCredential(ctx, prefix, statement)
	if err == nil {
		m.minted(c)
	}
	return c, err
}

// checklist 55: when keys may expire before the query timeout, COPY INTO has a
// shorter timeout. The statements after it do not.
func TestACopyIntoEndsBeforeItsKeysExpire(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newFixture(t, s)
	b.staging = s3Staging{b.open(staging.S3Config{RoleARN: "arn:aws:iam::000000000000:role/sandbox"})}
	b.run(twoProfiles, func(e *exporter.Export) { e.QueryTimeout = 3 * time.Hour })
	b.wantTwoProfiles()
	var order []string
	for _, st := range s.Statements(t) {
		word, _, _ := strings.Cut(st.Text, " ")
		if word == "COPY" || word == "SET" {
			order = append(order, st.Text)
		}
	}
	var seconds int
	if len(order) != 3 || !strings.HasPrefix(order[1], "COPY INTO") || order[2] != "SET STATEMENT_TIMEOUT = 10800" {
		t.Fatalf("got %d statements, want a shorter timeout, COPY INTO and the query timeout:\n%s",
			len(order), redact.Text(strings.Join(order, "\n")))
	}
	if _, err := fmt.Sscanf(order[0], "SET STATEMENT_TIMEOUT = %d", &seconds); err != nil || seconds > 3300 || seconds < 3000 {
		t.Errorf("got %s, %v, want a timeout of 3000 to 3300 seconds", order[0], err)
	}
}

// Files can be staged in a Unity Catalog volume.
func TestFilesAreStagedInAVolume(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	for n, kind := range fileFormats {
		b := newFixture(t, s)
		b.staging = volumeStaging{b.openVolume(b.database)}
		s.ForgetStatements(t)
		b.run(twoProfiles, withFormat(kind))
		b.wantTwoProfiles()
		for _, st := range s.Statements(t) {
			if !strings.HasPrefix(st.Text, "COPY INTO") {
				continue
			}
			folder := "'/Volumes/main/default/staging/" + b.database + "/exports/"
			if !strings.Contains(st.Text, folder) || strings.Contains(st.Text, "CREDENTIAL") {
				t.Errorf("got the statement %s, want one of %s without a credential", st.Text, folder)
			}
		}
		if n > 0 && sandboxtest.Spark() {
			continue // listing depends on the volume and not on the format, and takes a minute on Spark
		}
		// Many files, more than a page of a listing.
		big := fakeAudience{fields: fields("id", "int", "pad", "string")}
		for n := range 130 {
			big.rows = append(big.rows, row(fmt.Sprint(n), "p"))
		}
		b.run(big, withFormat(kind), func(e *exporter.Export) { e.FileBytes = 1 })
		if got := b.query("SELECT count(DISTINCT id) FROM " + b.table()); got[0][0] != fmt.Sprint(130) {
			t.Errorf("got %v ids, want 130", got)
		}
	}
}

// When the volume does not exist, the token has no rights to it, or an upload fails,
// the table stays and nothing is left.
func TestAFailingVolumeLeavesTheTable(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newFixture(t, s)
	b.staging = volumeStaging{b.openVolume(b.database)}
	b.run(twoProfiles)
	s.SetFault(t, sandboxtest.Fault{Kind: "s3_error", On: "*", Match: "part-", Times: -1, Status: 500, Message: "no luck"})
	err := b.export(fakeAudience{fields: twoProfiles.fields, rows: [][]jobs.Value{row("3", "three")}}).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no luck") {
		t.Errorf("got the error %v, want that of the upload", err)
	}
	s.ClearFaults(t)
	b.wantTwoProfiles()
	b.wantNoLeftovers()
	// Requests that fail for a moment are tried again.
	s.SetFault(t, sandboxtest.Fault{Kind: "s3_error", On: "PutDirectory", Times: 1, Status: 503},
		sandboxtest.Fault{Kind: "s3_error", On: "GetDirectory", Times: 1, Status: 503})
	b.run(twoProfiles)

	_, err = staging.OpenVolume(t.Context(), staging.VolumeConfig{Catalog: "main", Schema: "default", Volume: "nothing"}, b.workspace())
	if !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), "volume") {
		t.Errorf("a missing volume: got the error %v, want one that names the volume", err)
	}
	other := b.workspace()
	other.Token = func(context.Context) (jobs.Secret, error) { return jobs.NewSecret("dapi-wrong"), nil }
	_, err = staging.OpenVolume(t.Context(), staging.VolumeConfig{Catalog: "main", Schema: "default", Volume: "staging"}, other)
	if !jobs.IsCode(err, jobs.CodeUnauthorized) || strings.Contains(err.Error(), "dapi-wrong") {
		t.Errorf("a wrong token: got the error %v, want an unauthorized one without the token", err)
	}
}

type volumeStaging struct{ *staging.Volume }

func (v volumeStaging) Create(ctx context.Context, key string) (exporter.Object, error) {
	return v.Volume.Create(ctx, key)
}

// volumeOf is a directory of the sandbox's volume.
func volumeOf(prefix string) staging.VolumeConfig {
	return staging.VolumeConfig{Catalog: "main", Schema: "default", Volume: "staging", Prefix: prefix}
}

// openVolume opens a directory of the sandbox's volume.
func (b *fixture) openVolume(prefix string) *staging.Volume {
	b.t.Helper()
	v, err := staging.OpenVolume(b.t.Context(), volumeOf(prefix), b.workspace())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(v.Close)
	return v
}
