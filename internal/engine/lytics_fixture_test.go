package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
)

const (
	accountToken   = "canary-account-token"
	warehouseToken = "canary-warehouse-token"
)

// standIn is a stand-in for Lytics and a store whose platform it is.
type standIn struct {
	*lyticstest.Server
	t   *testing.T
	dir string
}

func openAccount(t *testing.T, switches lyticstest.Switches) *standIn {
	t.Helper()
	s, err := lyticstest.New(lyticstest.Options{Token: accountToken, Switches: switches})
	if err != nil {
		t.Fatal(err)
	}
	a := &standIn{Server: s, t: t, dir: t.TempDir()}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if wrong := s.Wrong(); len(wrong) != 0 {
			t.Errorf("requests that are not as documented: %v", wrong)
		}
	})
	return a
}

// open opens an engine as another process would. Its runs follow Lytics.
func (a *standIn) open() *engine.Engine {
	a.t.Helper()
	return process(a.t, a.dir, nil, func(o *engine.Options) {
		o.Platform = engine.Lytics(engine.LyticsAccount{Token: jobs.NewSecret(accountToken), APIURL: a.APIURL, BulkURL: a.BulkURL})
	})
}

// outside makes a call of the API as a person with the token would.
func (a *standIn) outside(method, path string, body any) map[string]any {
	a.t.Helper()
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			a.t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.APIURL+path, reader)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", accountToken)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Data map[string]any `json:"data"`
	}
	_ = json.NewDecoder(resp.Body).Decode(&answer)
	if resp.StatusCode >= 300 {
		a.t.Fatalf("%s %s: status %d", method, path, resp.StatusCode)
	}
	return answer.Data
}

// one gives the only job of the account that is not deleted.
func (a *standIn) one() map[string]any {
	a.t.Helper()
	var found map[string]any
	for _, j := range a.Jobs() {
		if j["deleted"] == true {
			continue
		}
		if found != nil {
			a.t.Fatalf("got several jobs, want one: %v and %v", found, j)
		}
		found = j
	}
	if found == nil {
		a.t.Fatal("got no job, want one")
	}
	return found
}

func (a *standIn) id() string { return a.one()["id"].(string) }

func lyticsAuth(label string) jobs.AuthorizationChange {
	token := jobs.NewSecret(warehouseToken)
	return jobs.AuthorizationChange{
		AuthorizationSpec: jobs.AuthorizationSpec{
			Label: label, Host: "dbc-1.cloud.databricks.com", Port: 443, HTTPPath: "/sql/1.0/warehouses/1", TokenVersion: 1,
			ManagedBy: jobs.ManagedByLytics, CheckConnection: true,
		},
		Token: &token,
	}
}

func lyticsImport(t *testing.T, e *engine.Engine, change ...func(*jobs.JobSpec)) jobs.JobSpec {
	t.Helper()
	auth, err := e.CreateAuthorization(t.Context(), lyticsAuth("warehouse"))
	if err != nil {
		t.Fatal(err)
	}
	s := importSpec(auth.ID, "customers")
	s.Label, s.Description, s.ManagedBy, s.QueryTimeout = "customers", "all of them", jobs.ManagedByLytics, 45*time.Minute
	for _, f := range change {
		f(&s)
	}
	return s
}

func create(t *testing.T, e *engine.Engine, s jobs.JobSpec) jobs.Job {
	t.Helper()
	j, err := e.CreateJob(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func update(t *testing.T, e *engine.Engine, id string, s jobs.JobSpec) jobs.Job {
	t.Helper()
	j, err := e.UpdateJob(t.Context(), id, s)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func read(t *testing.T, e *engine.Engine, id string) jobs.Job {
	t.Helper()
	j, err := e.Job(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func wantCode(t *testing.T, what string, err error, code jobs.Code, attribute string) {
	t.Helper()
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || e.Code != code || e.Attribute != attribute {
		t.Errorf("%s: got error %v, want code %s at attribute %q", what, err, code, attribute)
	}
}
