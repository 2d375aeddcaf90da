package exporter_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

var two = people{fields: fields("id", "int", "name", "string"), rows: [][]jobs.Value{row("1", "one"), row("2", "two")}}

// wantTwo asserts that the target holds the audience two.
func (b *bed) wantTwo() {
	b.t.Helper()
	if got := fmt.Sprint(b.query("SELECT id, name FROM " + b.table() + " ORDER BY id")); got != "[[1 one] [2 two]]" {
		b.t.Errorf("the table has %s", got)
	}
}

// checklist 55: with each way to the bucket the export works, and no statement
// holds the long-lived key; with a name, none holds any.
func TestEveryWayToTheBucket(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithArgs("-s3-external-location"))
	for name, c := range map[string]struct {
		cfg  staging.S3Config
		with string
	}{
		"minted for a user":   {staging.S3Config{}, "AWS_SESSION_TOKEN"},
		"minted for a role":   {staging.S3Config{RoleARN: "arn:aws:iam::000000000000:role/sandbox"}, "AWS_SESSION_TOKEN"},
		"storage credential":  {staging.S3Config{Credential: "sandbox_storage"}, "WITH (CREDENTIAL `sandbox_storage`)"},
		"external location":   {staging.S3Config{ExternalLocation: "exports"}, "FROM 's3://"},
		"another's long keys": {staging.S3Config{Credential: "nobody's"}, ""},
	} {
		b := newBed(t, s)
		b.staging = area{b.open(c.cfg)}
		s.ForgetStatements(t)
		err := b.export(two).Run(t.Context())
		b.wantNothingLeft()
		if c.with == "" {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b.wantTwo()
		var copies int
		for _, st := range s.Statements(t) {
			if strings.Contains(st.Text, s.S3SecretKey) || strings.Contains(st.Text, s.S3AccessKey) {
				t.Errorf("%s: the long-lived key is in a statement", name)
			}
			if !strings.HasPrefix(st.Text, "COPY INTO") {
				continue
			}
			copies++
			if !strings.Contains(st.Text, c.with) || c.with != "AWS_SESSION_TOKEN" && strings.Contains(st.Text, "AWS_") {
				t.Errorf("%s: the statement is %s", name, databricks.Redact(st.Text))
			}
		}
		if copies != 1 {
			t.Errorf("%s: %d COPY INTO", name, copies)
		}
	}
}

// checklist 55: an error that repeats the statement repeats no key of it.
func TestAnErrorRepeatsNoKey(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newBed(t, s)
	var minted staging.CopyCredential
	b.staging = mintWatch{b.staging, func(c staging.CopyCredential) {
		minted = c
		s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", On: "ExecuteStatement", Match: "^COPY INTO", Times: -1, SQLState: "XX000",
			Message: "[INTERNAL_ERROR] cannot run COPY INTO t FROM 's3://b' WITH (CREDENTIAL (AWS_SECRET_KEY = '" + c.SecretAccessKey.Reveal() + "')), token " +
				c.SessionToken.Reveal() + " of " + c.AccessKeyID})
	}}
	err := b.export(two).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "cannot run COPY INTO") {
		t.Fatalf("got %v", err)
	}
	for _, secret := range minted.Secrets() {
		if text := fmt.Sprintf("%v %+v %#v %+v", err, err, err, b.progress.counts); strings.Contains(text, secret.Reveal()) {
			t.Errorf("the error holds a key: %v", err)
		}
	}
	b.wantNothingLeft()
}

// mintWatch is told the credentials that are handed out.
type mintWatch struct {
	exporter.Staging
	minted func(staging.CopyCredential)
}

func (m mintWatch) CopyCredential(ctx context.Context, prefix string, statement time.Duration) (staging.CopyCredential, error) {
	c, err := m.Staging.CopyCredential(ctx, prefix, statement)
	if err == nil {
		m.minted(c)
	}
	return c, err
}

// checklist 55: where keys may live less long than a statement may take, the
// statement is bounded, and the ones after it are not.
func TestAStatementEndsBeforeItsKeys(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newBed(t, s)
	b.staging = area{b.open(staging.S3Config{RoleARN: "arn:aws:iam::000000000000:role/sandbox"})}
	b.run(two, func(e *exporter.Export) { e.QueryTimeout = 3 * time.Hour })
	b.wantTwo()
	var order []string
	for _, st := range s.Statements(t) {
		word, _, _ := strings.Cut(st.Text, " ")
		if word == "COPY" || word == "SET" {
			order = append(order, st.Text)
		}
	}
	var seconds int
	if len(order) != 3 || !strings.HasPrefix(order[1], "COPY INTO") || order[2] != "SET STATEMENT_TIMEOUT = 10800" {
		t.Fatalf("statements %d: %s", len(order), databricks.Redact(strings.Join(order, "\n")))
	}
	if _, err := fmt.Sscanf(order[0], "SET STATEMENT_TIMEOUT = %d", &seconds); err != nil || seconds > 3300 || seconds < 3000 {
		t.Errorf("%s, %v", order[0], err)
	}
}

// Without a bucket: the files wait in a Unity Catalog volume.
func TestStagingInAVolume(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	for n, kind := range fileKinds {
		b := newBed(t, s)
		b.staging = volume{b.volume(b.database)}
		s.ForgetStatements(t)
		b.run(two, kindOf(kind))
		b.wantTwo()
		for _, st := range s.Statements(t) {
			if strings.HasPrefix(st.Text, "COPY INTO") && (!strings.Contains(st.Text, "'/Volumes/main/default/staging/"+b.database+"/exports/") || strings.Contains(st.Text, "CREDENTIAL")) {
				t.Errorf("the statement is %s", st.Text)
			}
		}
		if n > 0 && sandboxtest.Spark() {
			continue // listings are the volume's: a minute on Spark for each kind shows nothing new
		}
		// Many files, more than a page of a listing.
		big := people{fields: fields("id", "int", "pad", "string")}
		for n := range 130 * 2048 {
			big.rows = append(big.rows, row(fmt.Sprint(n), "p"))
		}
		b.run(big, kindOf(kind), func(e *exporter.Export) { e.FileBytes = 1 })
		if got := b.query("SELECT count(DISTINCT id) FROM " + b.table()); got[0][0] != fmt.Sprint(130*2048) {
			t.Errorf("%v rows", got)
		}
	}
}

// A volume that is not there, a token without rights to it, an upload that
// fails: the table stays, and nothing is left.
func TestAVolumeThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newBed(t, s)
	b.staging = volume{b.volume(b.database)}
	b.run(two)
	s.SetFault(t, sandboxtest.Fault{Kind: "s3_error", On: "*", Match: "part-", Times: -1, Status: 500, Message: "no luck"})
	if err := b.export(people{fields: two.fields, rows: [][]jobs.Value{row("3", "three")}}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no luck") {
		t.Errorf("got %v", err)
	}
	s.ClearFaults(t)
	b.wantTwo()
	b.wantNothingLeft()
	// What fails for a moment and moves no data is tried again.
	s.SetFault(t, sandboxtest.Fault{Kind: "s3_error", On: "PutDirectory", Times: 1, Status: 503}, sandboxtest.Fault{Kind: "s3_error", On: "GetDirectory", Times: 1, Status: 503})
	b.run(two)

	_, err := staging.OpenVolume(t.Context(), staging.VolumeConfig{Catalog: "main", Schema: "default", Volume: "nothing"}, b.workspace())
	if !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), "volume") {
		t.Errorf("no volume: %v", err)
	}
	other := b.workspace()
	other.Token = func(context.Context) (jobs.Secret, error) { return jobs.NewSecret("dapi-wrong"), nil }
	_, err = staging.OpenVolume(t.Context(), staging.VolumeConfig{Catalog: "main", Schema: "default", Volume: "staging"}, other)
	if !jobs.IsCode(err, jobs.CodeUnauthorized) || strings.Contains(err.Error(), "dapi-wrong") {
		t.Errorf("a wrong token: %v", err)
	}
}

type volume struct{ *staging.Volume }

func (v volume) Create(ctx context.Context, key string) (exporter.Object, error) {
	return v.Volume.Create(ctx, key)
}

// volume opens the sandbox's volume.
func (b *bed) volume(prefix string) *staging.Volume {
	b.t.Helper()
	v, err := staging.OpenVolume(b.t.Context(), staging.VolumeConfig{Catalog: "main", Schema: "default", Volume: "staging", Prefix: prefix}, b.workspace())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(v.Close)
	return v
}
