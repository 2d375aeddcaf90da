package engine_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// unityWorkspace is a fake workspace whose Unity Catalog has the tables of unityTables in
// main.sales. Its warehouse answers nothing.
type unityWorkspace struct {
	spec jobs.AuthorizationSpec

	mu sync.Mutex
	// asked are the paths of the requests.
	asked []string
}

// unityTables are the types of the tables.
var unityTables = map[string]string{"customers": "MANAGED", "lytics_user_vip": "MANAGED", "seen": "VIEW"}

func newUnityWorkspace(t *testing.T) *unityWorkspace {
	t.Helper()
	u := &unityWorkspace{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		u.asked = append(u.asked, r.URL.Path)
		u.mu.Unlock()
		status, body := answerOfUnity(r)
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(body); err != nil {
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
	u.spec = jobs.AuthorizationSpec{Label: "w", Host: "http://" + at.Hostname(), Port: port, HTTPPath: "/sql/1.0/warehouses/a", TokenVersion: 1}
	return u
}

func answerOfUnity(r *http.Request) (status int, body any) {
	path, _ := strings.CutPrefix(r.URL.Path, "/api/2.1/unity-catalog/")
	named := func(names ...string) (all []any) {
		for _, n := range names {
			all = append(all, map[string]any{"name": n})
		}
		return all
	}
	switch {
	case path == "catalogs":
		return http.StatusOK, map[string]any{"catalogs": named("main", "samples")}
	case path == "schemas":
		return http.StatusOK, map[string]any{"schemas": named("sales", "scratch")}
	case path == "tables":
		return http.StatusOK, map[string]any{"tables": named("customers", "lytics_user_vip", "seen")}
	case path == "tables/main.sales.secret":
		return http.StatusForbidden, map[string]any{"error_code": "PERMISSION_DENIED", "message": "User does not have SELECT on Table 'main.sales.secret'."}
	case path == "tables/main.sales.limited":
		return http.StatusForbidden, map[string]any{"error_code": "PERMISSION_DENIED", "message": "The token lacks the scope unity-catalog"}
	case path == "tables/main.sales.unread":
		return http.StatusOK, map[string]any{"name": "unread", "table_type": "FOREIGN"}
	}
	if table, ok := strings.CutPrefix(path, "tables/main.sales."); ok && unityTables[table] != "" {
		return http.StatusOK, map[string]any{"name": table, "table_type": unityTables[table], "columns": []any{
			map[string]any{"name": "id", "type_text": "bigint", "position": 0}, map[string]any{"name": "ts", "type_text": "timestamp", "position": 1}}}
	}
	return http.StatusNotFound, map[string]any{"error_code": "TABLE_DOES_NOT_EXIST", "message": "it does not exist"}
}

// requests returns the paths that were asked for since the last call.
func (u *unityWorkspace) requests() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	asked := u.asked
	u.asked = nil
	return asked
}

// scheduledImport is an import with a schedule that is to be checked.
func scheduledImport(auth string, change func(*jobs.JobSpec)) jobs.JobSpec {
	s := importSpec(auth, "customers")
	on := true
	s.CheckSource, s.Schedule = &on, &jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: "02:00", Timezone: "UTC"}
	if change != nil {
		change(&s)
	}
	return s
}

// wantRefused checks the attribute and the text of an error, and that there is no job.
func wantRefused(t *testing.T, e *engine.Engine, err error, attribute, said string) {
	t.Helper()
	f := jobs.FailureOf(orNone(err))
	whole := f.Summary + "\n" + f.Detail + "\n" + f.Next
	if err == nil || f.Attribute != attribute || !strings.Contains(whole, said) || !strings.Contains(whole, "check_source = false") {
		t.Errorf("got %q at %q, want %q at %q and the way to save it unchecked", whole, f.Attribute, said, attribute)
	}
	if all, err := e.Jobs(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("a refused definition left %d jobs (%v), want none", len(all), err)
	}
}

// A scheduled import whose first run cannot work is refused with the attribute at fault, by
// Unity Catalog: no request reaches the warehouse.
func TestAScheduledImportThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change          func(*jobs.JobSpec)
		attribute, said string
	}{
		"no such catalog":     {func(s *jobs.JobSpec) { s.Import.Catalog = "mian" }, "catalog", `The catalogs are "main", "samples"`},
		"no such database":    {func(s *jobs.JobSpec) { s.Import.Database = "sale" }, "database", `Did you mean "sales"?`},
		"no such table":       {func(s *jobs.JobSpec) { s.Import.Table = "customer" }, "table", `Did you mean "customers"?`},
		"no such timestamp":   {func(s *jobs.JobSpec) { s.Import.TimestampColumn = "tz" }, "timestamp_column", "Columns that can serve: ts"},
		"no timestamp":        {func(s *jobs.JobSpec) { s.Import.TimestampColumn = "id" }, "timestamp_column", "is BIGINT"},
		"no such event time":  {func(s *jobs.JobSpec) { s.Import.RecordTimestampColumn = "at" }, "record_timestamp_column", `No column "at"`},
		"no such key":         {func(s *jobs.JobSpec) { s.Import.KeyColumns = []string{"key"} }, "key_columns", `No column "key"`},
		"no such column":      {func(s *jobs.JobSpec) { s.Import.Columns = []string{"email"} }, "columns", `No column "email"`},
		"nothing to leave":    {func(s *jobs.JobSpec) { s.Import.ExcludeColumns = []string{"ssn"} }, "exclude_columns", `No column "ssn"`},
		"a right is missing":  {func(s *jobs.JobSpec) { s.Import.Table = "secret" }, "table", "GRANT SELECT ON TABLE `main`.`sales`.`secret`"},
		"checked by schedule": {func(s *jobs.JobSpec) { s.Import.Table, s.Schedule.StartImmediately = "customer", true }, "table", "by the schedule"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUnityWorkspace(t)
			e := process(t, t.TempDir(), succeed)
			_, err := e.CreateJob(t.Context(), scheduledImport(authorizeAt(t, e, u.spec).ID, c.change))
			wantRefused(t, e, err, c.attribute, c.said)
			for _, path := range u.requests() {
				if !strings.HasPrefix(path, "/api/2.1/unity-catalog/") {
					t.Errorf("the check asked for %s, want Unity Catalog alone", path)
				}
			}
		})
	}
}

// What the catalog does not contradict is saved, and what is not to be checked asks nothing.
func TestWhatIsSavedWithoutACheck(t *testing.T) {
	t.Parallel()
	off, paused := false, true
	for name, c := range map[string]struct {
		change func(*jobs.JobSpec)
		asked  int
	}{
		"the table is there":         {nil, 1},
		"the columns are not listed": {func(s *jobs.JobSpec) { s.Import.Table = "unread" }, 1},
		"the API alone refuses":      {func(s *jobs.JobSpec) { s.Import.Table = "limited" }, 1},
		"check_source = false":       {func(s *jobs.JobSpec) { s.Import.Table, s.CheckSource = "no", &off }, 0},
		"check_source left out":      {func(s *jobs.JobSpec) { s.Import.Table, s.CheckSource = "no", nil }, 0},
		"no schedule":                {func(s *jobs.JobSpec) { s.Import.Table, s.Schedule = "no", nil }, 0},
		"a paused schedule":          {func(s *jobs.JobSpec) { s.Import.Table, s.Schedule.Paused = "no", &paused }, 0},
		"hive_metastore":             {func(s *jobs.JobSpec) { s.Import.Catalog = "hive_metastore" }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUnityWorkspace(t)
			e := process(t, t.TempDir(), succeed)
			// Without check_connection the warehouse is not asked.
			j, err := e.CreateJob(t.Context(), scheduledImport(authorizeAt(t, e, u.spec).ID, c.change))
			if err != nil {
				t.Fatal(err)
			}
			if asked := u.requests(); len(asked) != c.asked {
				t.Errorf("asked for %q, want %d requests", asked, c.asked)
			}
			again, err := e.Job(t.Context(), j.ID)
			if d := cmp.Diff(j.CheckSource, again.CheckSource); err != nil || d != "" {
				t.Errorf("read again: %v (-saved +got):\n%s", err, d)
			}
		})
	}
}

// A job that runs after others may read what they create.
func TestAJobAfterOthersIsNotChecked(t *testing.T) {
	t.Parallel()
	u := newUnityWorkspace(t)
	e := process(t, t.TempDir(), succeed)
	auth := authorizeAt(t, e, u.spec).ID
	first, err := e.CreateJob(t.Context(), scheduledImport(auth, nil))
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.CreateJob(t.Context(), scheduledImport(auth, func(s *jobs.JobSpec) { s.Import.Table, s.After = "later", []string{first.ID} }))
	if err != nil {
		t.Error(err)
	}
}

// A change is checked if it concerns what the check reads; a refused one changes nothing.
func TestAChangeIsCheckedWhereItMatters(t *testing.T) {
	t.Parallel()
	u := newUnityWorkspace(t)
	e := process(t, t.TempDir(), succeed)
	auth := authorizeAt(t, e, u.spec).ID
	j, err := e.CreateJob(t.Context(), scheduledImport(auth, nil))
	if err != nil {
		t.Fatal(err)
	}
	u.requests()
	off := false
	for _, step := range []struct {
		name    string
		change  func(*jobs.JobSpec)
		asks    bool
		refused string
	}{
		{"label", func(s *jobs.JobSpec) { s.Label = "other" }, false, ""},
		{"times", func(s *jobs.JobSpec) { s.Schedule.TimeOfDay = "03:00" }, false, ""},
		{"batch_size", func(s *jobs.JobSpec) { s.Import.BatchSize = 7 }, false, ""},
		{"columns", func(s *jobs.JobSpec) { s.Import.Columns = []string{"id"} }, true, ""},
		{"key_columns", func(s *jobs.JobSpec) { s.Import.KeyColumns = []string{"key"} }, true, "key_columns"},
		{"key_columns unchecked", func(s *jobs.JobSpec) { s.Import.KeyColumns, s.CheckSource = []string{"key"}, &off }, false, ""},
		{"checked again", func(s *jobs.JobSpec) { s.Import.KeyColumns = []string{"key"} }, true, "key_columns"},
		{"no schedule", func(s *jobs.JobSpec) { s.Schedule = nil }, false, ""},
		{"a schedule", nil, true, ""},
	} {
		saved, err := e.Job(t.Context(), j.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.UpdateJob(t.Context(), j.ID, scheduledImport(auth, step.change))
		if got := jobs.FailureOf(orNone(err)).Attribute; got != step.refused || (err != nil) != (step.refused != "") {
			t.Errorf("%s: got %v, want an error at %q", step.name, err, step.refused)
		}
		if asked := u.requests(); len(asked) > 0 != step.asks {
			t.Errorf("%s: asked for %q, want a question: %t", step.name, asked, step.asks)
		}
		after, readErr := e.Job(t.Context(), j.ID)
		if d := cmp.Diff(saved.JobSpec, after.JobSpec); readErr != nil || (d == "") != (err != nil) {
			t.Errorf("%s: saved although refused, or not saved (%v):\n%s", step.name, readErr, d)
		}
	}
}

// A scheduled export is refused where its table cannot be made.
func TestAScheduledExportThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change          func(*jobs.AudienceExport)
		attribute, said string
	}{
		"a new table":           {func(x *jobs.AudienceExport) { x.TableName = "fresh" }, "", ""},
		"a table to overwrite":  {func(x *jobs.AudienceExport) { x.OverwriteExisting = true }, "", ""},
		"a table of others":     {nil, "table_name", "was not created by this export"},
		"a view":                {func(x *jobs.AudienceExport) { x.TableName, x.OverwriteExisting = "seen", true }, "table_name", "is a view"},
		"no such database":      {func(x *jobs.AudienceExport) { x.Database = "sale" }, "database", `Did you mean "sales"?`},
		"a scratch schema":      {func(x *jobs.AudienceExport) { x.TableName, x.ScratchSchema = "fresh", "main.scratch" }, "", ""},
		"no such scratch":       {func(x *jobs.AudienceExport) { x.TableName, x.ScratchSchema = "fresh", "main.scrath" }, "scratch_schema", `"scratch"`},
		"no right on the table": {func(x *jobs.AudienceExport) { x.TableName = "secret" }, "database", "GRANT SELECT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUnityWorkspace(t)
			e := process(t, t.TempDir(), succeed)
			auth := authorizeAt(t, e, u.spec).ID
			if _, err := e.CreateAudience(t.Context(), jobs.Audience{Name: "VIP", Slug: "vip", Filter: "FILTER *"}, "owner"); err != nil {
				t.Fatal(err)
			}
			s := scheduledImport(auth, nil)
			s.Import, s.Export = nil, &jobs.AudienceExport{AudienceID: "vip", Catalog: "main", Database: "sales"}
			if c.change != nil {
				c.change(s.Export)
			}
			_, err := e.CreateJob(t.Context(), s)
			if c.attribute != "" {
				wantRefused(t, e, err, c.attribute, c.said)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// An authorization that was saved without a session may be out of this machine's reach.
func TestAWorkspaceOutOfReachIsNoErrorWithoutCheckConnection(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), succeed)
	// Nothing listens at port 1.
	spec := jobs.AuthorizationSpec{Label: "w", Host: "http://127.0.0.1", Port: 1, HTTPPath: "/sql/1.0/warehouses/a", TokenVersion: 1}
	if _, err := e.CreateJob(t.Context(), scheduledImport(authorizeAt(t, e, spec).ID, nil)); err != nil {
		t.Error(err)
	}
}
