package engine_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// workspace serves a fake Databricks workspace. It answers the given paths, and
// all other paths with 403.
func workspace(t *testing.T, answers map[string]any) jobs.AuthorizationSpec {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusForbidden)
			answer = map[string]string{"error_code": "PERMISSION_DENIED", "message": "User does not have USE CATALOG"}
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	return jobs.AuthorizationSpec{Label: "warehouse", Host: "http://" + at.Hostname(), Port: port, HTTPPath: "/sql/1.0/warehouses/a", TokenVersion: 1}
}

func authorizeAt(t *testing.T, e *engine.Engine, s jobs.AuthorizationSpec) jobs.Authorization {
	t.Helper()
	token := jobs.NewSecret("dapi-1")
	a, err := e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: s, Token: &token})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestCatalogIsReadFromTheUnityCatalogAPI(t *testing.T) {
	t.Parallel()
	const api = "/api/2.1/unity-catalog/"
	e := process(t, t.TempDir(), succeed)
	a := authorizeAt(t, e, workspace(t, map[string]any{
		api + "catalogs": map[string]any{"catalogs": []any{map[string]any{"name": "main", "comment": "ours"}, map[string]any{"name": "samples"}}},
		api + "schemas":  map[string]any{"schemas": []any{map[string]any{"name": "sales", "catalog_name": "main"}}},
		api + "tables":   map[string]any{"tables": []any{map[string]any{"name": "customers", "table_type": "MANAGED"}}},
		api + "tables/main.sales.customers": map[string]any{"name": "customers", "columns": []any{
			map[string]any{"name": "ts", "type_text": "timestamp", "position": 0, "nullable": true}}},
	}))
	catalogs, err := e.Catalogs(t.Context(), a.ID, "main")
	if d := cmp.Diff([]jobs.CatalogInfo{{Name: "main", Comment: "ours"}}, catalogs); err != nil || d != "" {
		t.Errorf("catalogs: %v (-want +got):\n%s", err, d)
	}
	databases, err := e.Databases(t.Context(), a.ID, "main", "")
	if err != nil || len(databases) == 0 || databases[len(databases)-1].Name != "sales" {
		t.Errorf("got databases %+v, %v; want sales", databases, err)
	}
	tables, err := e.Tables(t.Context(), a.ID, "main", "sales", "")
	if err != nil || len(tables) != 1 || tables[0].Name != "customers" {
		t.Errorf("got tables %+v, %v; want customers", tables, err)
	}
	columns, err := e.Columns(t.Context(), a.ID, jobs.TableName{Catalog: "main", Database: "sales", Table: "customers"}, "")
	if err != nil || len(columns) != 1 || columns[0].Name != "ts" || columns[0].Position != 1 {
		t.Errorf("got columns %+v, %v; want ts at position 1", columns, err)
	}
	if _, err := e.Catalogs(t.Context(), "auth_none", ""); !jobs.IsCode(err, jobs.CodeNotFound) || !strings.Contains(err.Error(), "auth_none") {
		t.Errorf("got %v, want that the authorization is not found", err)
	}
}

// A connection that refers to its token lists the catalog without a store.
func TestCatalogIsReadThroughAConnectionWithoutAStore(t *testing.T) {
	t.Parallel()
	e := engine.New(engine.Options{DataDir: t.TempDir(), AllowPrivateHosts: true, Getenv: func(name string) string {
		return map[string]string{"A_TOKEN_OF_A_TEST": "dapi-3"}[name]
	}})
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	spec := workspace(t, map[string]any{
		"/api/2.1/unity-catalog/tables": map[string]any{"tables": []any{map[string]any{"name": "customers", "table_type": "MANAGED"}}},
	})
	spec.TokenEnv, spec.HTTPPath = "A_TOKEN_OF_A_TEST", ""
	q := jobs.CatalogQuery{Connection: spec, Level: jobs.LevelTables, In: jobs.TableName{Catalog: "main", Database: "sales"}}
	got, err := e.ListCatalog(t.Context(), q)
	if d := cmp.Diff(jobs.CatalogListing{Tables: []jobs.TableInfo{{Name: "customers", Type: "MANAGED"}}}, got); err != nil || d != "" {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if _, err := e.Store(t.Context(), false); !jobs.IsCode(err, jobs.CodeStore) {
		t.Errorf("a store was made: %v", err)
	}
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("dapi-4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	byFile := q
	byFile.Connection.TokenEnv, byFile.Connection.Login = "", &jobs.Login{Kind: jobs.LoginTokenFile, File: file}
	if got, err := e.ListCatalog(t.Context(), byFile); err != nil || len(got.Tables) != 1 {
		t.Errorf("by a file with a token: %+v, %v", got, err)
	}
	byFile.Connection.Login = &jobs.Login{Kind: jobs.LoginAzureClientSecret, Identity: "a", Tenant: "t"}
	if _, err := e.ListCatalog(t.Context(), byFile); jobs.FailureOf(orNone(err)).Attribute != "token_env" {
		t.Errorf("a login without its secret gives %v, want an error at token_env", err)
	}
	q.In.Catalog = "hive_metastore"
	if _, err := e.ListCatalog(t.Context(), q); jobs.FailureOf(orNone(err)).Attribute != "http_path" {
		t.Errorf("without http_path hive_metastore gives %v, want an error at http_path", err)
	}
	q.Connection.TokenEnv = "LYTICS_ENCRYPTION_KEY"
	if _, err := e.ListCatalog(t.Context(), q); jobs.FailureOf(orNone(err)).Attribute != "token_env" {
		t.Errorf("a variable of the product gives %v, want an error at token_env", err)
	}
}

// A connection with a profile sends the token of the profile, and needs no token_env.
func TestCatalogIsReadThroughAProfile(t *testing.T) {
	t.Parallel()
	e := engine.New(engine.Options{DataDir: t.TempDir(), AllowPrivateHosts: true})
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer dapi-5" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"tables": [{"name": "customers", "table_type": "MANAGED"}]}`))
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "databrickscfg")
	if err := os.WriteFile(file, []byte("[ci]\nhost = "+server.URL+"\ntoken = dapi-5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	q := jobs.CatalogQuery{Level: jobs.LevelTables, In: jobs.TableName{Catalog: "main", Database: "sales"}, Connection: jobs.AuthorizationSpec{
		Host: "http://" + at.Hostname(), Port: port, Login: &jobs.Login{Kind: jobs.LoginProfile, Profile: "ci", File: file}}}
	if got, err := e.ListCatalog(t.Context(), q); err != nil || len(got.Tables) != 1 {
		t.Errorf("got %+v, %v; want one table", got, err)
	}
	q.Connection.Login.Profile = "other"
	if _, err := e.ListCatalog(t.Context(), q); jobs.FailureOf(orNone(err)).Attribute != "profile" {
		t.Errorf("a profile that the file does not have gives %v, want an error at profile", err)
	}
}

func TestRefusedCredentialNamesItsAttribute(t *testing.T) {
	t.Parallel()
	const variable = "DATABRICKS_TOKEN_OF_A_TEST"
	e := process(t, t.TempDir(), succeed, func(o *engine.Options) {
		o.Getenv = func(name string) string { return map[string]string{variable: "dapi-2"}[name] }
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusUnauthorized) }))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	s := jobs.AuthorizationSpec{Label: "warehouse", Host: "http://" + at.Hostname(), Port: port, HTTPPath: "/sql/1.0/warehouses/a", CheckConnection: true}
	byVariable, byClient, unset := s, s, s
	byVariable.TokenEnv, byClient.ClientID, unset.TokenEnv = variable, "6f5c-app", "UNSET_VARIABLE_OF_A_TEST"
	secret := jobs.NewSecret("secret-1")
	for want, c := range map[string]jobs.AuthorizationChange{
		"token_wo":         {AuthorizationSpec: s, Token: &secret},
		"token_env":        {AuthorizationSpec: byVariable},
		"client_secret_wo": {AuthorizationSpec: byClient, ClientSecret: &secret},
	} {
		_, err := e.CreateAuthorization(t.Context(), c)
		if f := jobs.FailureOf(orNone(err)); f.Code != jobs.CodeUnauthorized || f.Attribute != want {
			t.Errorf("%s: got %+v", want, f)
		}
	}
	if _, err := e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: unset}); jobs.FailureOf(orNone(err)).Attribute != "token_env" {
		t.Errorf("an unset variable: got %v, want an error at token_env", err)
	}
	if _, err := e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: byClient}); jobs.FailureOf(orNone(err)).Attribute != "client_secret_wo" {
		t.Errorf("no client secret: got %v, want an error at client_secret_wo", err)
	}
	public := jobs.AuthorizationChange{AuthorizationSpec: s, Token: &secret}
	public.Host = "evil.example.com"
	strict := process(t, t.TempDir(), succeed, func(o *engine.Options) { o.AllowPrivateHosts = false })
	if _, err := strict.CreateAuthorization(t.Context(), public); jobs.FailureOf(orNone(err)).Attribute != "host" {
		t.Errorf("a foreign host: got %v, want an error at host", err)
	}
}

// orNone returns err, or an error that says that there was none.
func orNone(err error) error {
	if err == nil {
		return &jobs.Error{Summary: "no error"}
	}
	return err
}

// emptyBucket serves S3 with an empty bucket.
func emptyBucket(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`<?xml version="1.0"?><ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>`))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// If the warehouse refuses the connection, a dry run returns the reason, and a
// run records it.
func TestDryRunAndRunReportARefusingWarehouse(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*engine.Options){
		"S3": func(o *engine.Options) {
			o.Staging = &staging.S3Config{
				Bucket: "staging", Prefix: "exports", Region: "eu-central-1", Endpoint: emptyBucket(t), UsePathStyle: true,
				AccessKeyID: "a", SecretAccessKey: jobs.NewSecret("b"),
			}
		},
		"volume": func(o *engine.Options) {
			o.Volume = &staging.VolumeConfig{Catalog: "main", Schema: "sales", Volume: "files"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := process(t, t.TempDir(), nil, set)
			a := authorizeAt(t, e, workspace(t, nil))
			audience, err := e.CreateAudience(t.Context(), jobs.Audience{Name: "VIP", Slug: "vip", Filter: "FILTER *"}, "owner")
			if err != nil {
				t.Fatal(err)
			}
			export := jobs.JobSpec{Label: "vip", AuthorizationID: a.ID, Export: &jobs.AudienceExport{AudienceID: audience.ID, Catalog: "main", Database: "sales"}}
			for _, s := range []jobs.JobSpec{importSpec(a.ID, "customers"), export} {
				job, err := e.CreateJob(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := e.DryRun(t.Context(), job.ID, 0); !jobs.IsCode(err, jobs.CodeForbidden) && !jobs.IsCode(err, jobs.CodeUnauthorized) {
					t.Errorf("dry run of %s: got %v, want a refusal", job.Label, err)
				}
				run, err := e.WaitRun(t.Context(), start(t, e, job, jobs.ReasonApply).ID, nil)
				if err != nil || run.Status != jobs.StatusFailed || run.Failure.Code != jobs.CodeForbidden && run.Failure.Code != jobs.CodeUnauthorized {
					t.Errorf("run of %s: got %s, %+v, %v; want a refusal", job.Label, run.Status, run.Failure, err)
				}
			}
		})
	}
}

func TestExportWithoutStagingIsAnError(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), nil)
	a := authorize(t, e)
	audience, err := e.CreateAudience(t.Context(), jobs.Audience{Name: "VIP", Slug: "vip", Filter: "FILTER *"}, "owner")
	if err != nil {
		t.Fatal(err)
	}
	job, err := e.CreateJob(t.Context(), jobs.JobSpec{Label: "vip", AuthorizationID: a.ID, Export: &jobs.AudienceExport{AudienceID: audience.Slug, Catalog: "main", Database: "sales"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.DryRun(t.Context(), job.ID, 0); !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), "staging") {
		t.Errorf("dry run: got %v, want that staging is missing", err)
	}
	run, err := e.WaitRun(t.Context(), start(t, e, job, jobs.ReasonApply).ID, nil)
	if err != nil || run.Failure.Code != jobs.CodeInvalid || !strings.Contains(run.Failure.Next, "staging = ") {
		t.Errorf("run: got %+v, %v; want that staging is missing, and how to give it", run.Failure, err)
	}
}
