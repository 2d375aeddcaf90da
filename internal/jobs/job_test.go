package jobs_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func TestDefaultNames(t *testing.T) {
	t.Parallel()
	if got, want := jobs.DefaultStream("main", "sales", "customers"), "databricks_main_sales_customers"; got != want {
		t.Errorf("default stream: got %q, want %q", got, want)
	}
	if got, want := jobs.ExportTable("vip"), "lytics_user_vip"; got != want {
		t.Errorf("table of an export: got %q, want %q", got, want)
	}
	if got, want := (jobs.TableName{Catalog: "main", Database: "sales", Table: "customers"}).String(), "main.sales.customers"; got != want {
		t.Errorf("table: got %q, want %q", got, want)
	}
}

// checklist 59: which attributes make two jobs the same job.
func TestKeyDistinguishesWhatJobsMove(t *testing.T) {
	t.Parallel()
	table := jobs.TableImport{Catalog: "main", Database: "sales", Table: "customers", TimestampColumn: "ts", Stream: "people"}
	export := jobs.AudienceExport{AudienceID: "vip", Catalog: "main", Database: "sales", TableName: "customers"}
	seen := map[string]string{}
	add := func(what, host string, s jobs.JobSpec) {
		key := jobs.Key(host, s)
		if other, taken := seen[key]; taken {
			t.Errorf("%s and %s: got one key %q, want two", what, other, key)
		}
		seen[key] = what
	}
	add("an import", "host", jobs.JobSpec{Import: &table})
	add("from another host", "other", jobs.JobSpec{Import: &table})
	for what, change := range map[string]func(*jobs.TableImport){
		"another catalog":          func(i *jobs.TableImport) { i.Catalog = "test" },
		"another database":         func(i *jobs.TableImport) { i.Database = "test" },
		"another table":            func(i *jobs.TableImport) { i.Table = "test" },
		"another timestamp column": func(i *jobs.TableImport) { i.TimestampColumn = "test" },
		"another stream":           func(i *jobs.TableImport) { i.Stream = "test" },
		"names with the separator": func(i *jobs.TableImport) { i.Catalog, i.Database, i.Table = `main|sales`, `customers`, `\|` },
		"the same, cut elsewhere":  func(i *jobs.TableImport) { i.Catalog, i.Database, i.Table = `main`, `sales|customers`, `\|` },
	} {
		changed := table
		change(&changed)
		add(what, "host", jobs.JobSpec{Import: &changed})
	}
	add("an export", "host", jobs.JobSpec{Export: &export})
	for what, change := range map[string]func(*jobs.AudienceExport){
		"an export into another catalog":  func(e *jobs.AudienceExport) { e.Catalog = "test" },
		"an export into another database": func(e *jobs.AudienceExport) { e.Database = "test" },
		"an export into another table":    func(e *jobs.AudienceExport) { e.TableName = "test" },
	} {
		changed := export
		change(&changed)
		add(what, "host", jobs.JobSpec{Export: &changed})
	}
	// A change of the label or of the spelling of the host keeps the key, and so
	// the cursor.
	same := table
	same.Where, same.Columns, same.RecordTimestampColumn = "true", []string{"id"}, "at"
	if got, want := jobs.Key("HOST/", jobs.JobSpec{Label: "other", Import: &same}), jobs.Key("host", jobs.JobSpec{Import: &table}); got != want {
		t.Errorf("got key %q, want %q", got, want)
	}
}

func TestKind(t *testing.T) {
	t.Parallel()
	if got := (jobs.JobSpec{Import: &jobs.TableImport{}}).Kind(); got != jobs.KindTableImport {
		t.Errorf("got %s, want %s", got, jobs.KindTableImport)
	}
	if got := (jobs.JobSpec{Export: &jobs.AudienceExport{}}).Kind(); got != jobs.KindAudienceExport {
		t.Errorf("got %s, want %s", got, jobs.KindAudienceExport)
	}
}

func TestCheckFiles(t *testing.T) {
	t.Parallel()
	for attribute, refused := range map[string]jobs.AudienceExport{
		"column_types": {Format: jobs.FormatParquet, ColumnTypes: jobs.ColumnTypesInferred},
		"compression":  {Format: jobs.FormatCSV, Compression: jobs.CompressionZstd},
	} {
		if f := jobs.FailureOf(orNone(refused.CheckFiles())); f.Attribute != attribute || f.Code != jobs.CodeInvalid || f.Next == "" {
			t.Errorf("got %+v, want an error at %s", f, attribute)
		}
	}
	for _, fine := range []jobs.AudienceExport{{}, {Format: jobs.FormatParquet}, {ColumnTypes: jobs.ColumnTypesInferred, Compression: jobs.CompressionNone}} {
		if err := fine.CheckFiles(); err != nil {
			t.Errorf("%+v: got %v, want no error", fine, err)
		}
	}
	if csv, parquet := jobs.DefaultCompression(jobs.FormatCSV), jobs.DefaultCompression(jobs.FormatParquet); csv != jobs.CompressionGzip || parquet != jobs.CompressionZstd {
		t.Errorf("got %s and %s, want gzip and zstd", csv, parquet)
	}
}

// orNone returns err, or an error that says that there was none.
func orNone(err error) error {
	if err == nil {
		return &jobs.Error{Summary: "no error"}
	}
	return err
}

func TestSchemaNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"main.sales":         {"main", "sales"},
		"`a.b`.sales":        {"a.b", "sales"},
		"main.`it``s. mine`": {"main", "it`s. mine"},
	} {
		catalog, database, err := jobs.ParseSchema(text)
		if err != nil || [2]string{catalog, database} != want {
			t.Errorf("%s: got %q, %q, %v; want %q", text, catalog, database, err, want)
		}
	}
	for _, text := range []string{"", "main", "main.", ".sales", "a.b.c", "`main.sales", "``.sales", "ma`in.sales", "main.sales`", "`main`sales"} {
		if catalog, database, err := jobs.ParseSchema(text); err == nil {
			t.Errorf("%q: got %q and %q, want an error", text, catalog, database)
		}
	}
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	got, err := jobs.ParseIdentity("email=ann=b@example.com")
	if want := (jobs.Identity{Field: "email", Value: "ann=b@example.com"}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, text := range []string{"", "email", "email=", "=ann"} {
		if _, err := jobs.ParseIdentity(text); !jobs.IsCode(err, jobs.CodeInvalid) {
			t.Errorf("%q: got %v, want code %s", text, err, jobs.CodeInvalid)
		}
	}
}

// checklist 43
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	const canary = "dapi-canary"
	s := jobs.NewSecret(canary)
	inJSON, err := json.Marshal(map[string]any{"secret": s})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("it", "secret", s)
	printed := []string{string(inJSON), log.String(), s.String(), s.GoString(), fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s, s), fmt.Sprintf("%v", struct{ S jobs.Secret }{s})}
	if i := slices.IndexFunc(printed, func(text string) bool { return strings.Contains(text, canary) }); i >= 0 {
		t.Errorf("got %q, want it without the secret", printed[i])
	}
	if s.Reveal() != canary || s.Empty() || !jobs.NewSecret("").Empty() {
		t.Error("Reveal did not return the text of the secret")
	}
}

func TestActiveStates(t *testing.T) {
	t.Parallel()
	for status, want := range map[jobs.Status]bool{
		jobs.StatusQueued: true, jobs.StatusWaiting: true, jobs.StatusRunning: true,
		jobs.StatusSucceeded: false, jobs.StatusFailed: false, jobs.StatusCancelled: false, jobs.StatusMissed: false,
	} {
		if got := status.Active(); got != want {
			t.Errorf("%s: got active %t, want %t", status, got, want)
		}
	}
}

func TestCreator(t *testing.T) {
	t.Parallel()
	if got := jobs.Creator(t.Context(), "in_1"); got != "in_1" {
		t.Errorf("got %q, want this process", got)
	}
	if got := jobs.Creator(jobs.WithCreator(t.Context(), "in_2"), "in_1"); got != "in_2" {
		t.Errorf("got %q, want the process that the call is made for", got)
	}
}

// withPages is an API whose runs have pages.
type withPages struct{ jobs.API }

func (withPages) RunURL(id string) string { return "https://runner.example.com/runs/" + id }

func TestRunURL(t *testing.T) {
	t.Parallel()
	if got, want := jobs.RunURL(withPages{}, "run_1"), "https://runner.example.com/runs/run_1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := jobs.RunURL(struct{ jobs.API }{}, "run_1"); got != "" {
		t.Errorf("got %q for an API without pages, want none", got)
	}
}
