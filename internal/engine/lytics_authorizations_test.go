package engine_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
)

// An authorization in Lytics has its token there, and every change sends it again.
func TestLyticsKeepsAnAuthorization(t *testing.T) {
	t.Parallel()
	for _, switches := range []lyticstest.Switches{{}, {KeepOmittedConfig: true, UnderscoreSlugs: true}} {
		a := openAccount(t, switches)
		e := a.open()
		auth, err := e.CreateAuthorization(t.Context(), lyticsAuth("warehouse"))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"host": "dbc-1.cloud.databricks.com", "port": json.Number("443"), "httppath": "/sql/1.0/warehouses/1", "token": warehouseToken,
		}
		if diff := cmp.Diff(want, a.AuthConfigs()[auth.LyticsID]); diff != "" {
			t.Errorf("config in Lytics (-want +got):\n%s", diff)
		}
		c := lyticsAuth("renamed")
		c.Token, c.HTTPPath = nil, "/sql/1.0/warehouses/2"
		// Another process, without the token in its configuration.
		e = a.open()
		if auth, err = e.UpdateAuthorization(t.Context(), auth.ID, c); err != nil || auth.Label != "renamed" {
			t.Fatalf("got %+v, %v; want the new label", auth, err)
		}
		want["httppath"] = "/sql/1.0/warehouses/2"
		if diff := cmp.Diff(want, a.AuthConfigs()[auth.LyticsID]); diff != "" {
			t.Errorf("config in Lytics after a change (-want +got):\n%s", diff)
		}
		c.ManagedBy = jobs.ManagedByProvider
		_, err = e.UpdateAuthorization(t.Context(), auth.ID, c)
		wantCode(t, "to this provider in place", err, jobs.CodeInvalid, "managed_by")
		_, err = e.CreateAuthorization(t.Context(), lyticsAuth("renamed"))
		wantCode(t, "a label that is taken", err, jobs.CodeConflict, "label")
		if err := e.DeleteAuthorization(t.Context(), auth.ID); err != nil || len(a.AuthConfigs()) != 0 {
			t.Errorf("got %v and %d authorizations after the deletion, want none", err, len(a.AuthConfigs()))
		}
		if auth, err = e.CreateAuthorization(t.Context(), lyticsAuth("warehouse")); err != nil {
			t.Fatal(err)
		}
		a.outside("DELETE", "/v2/auth/"+auth.LyticsID, nil)
		_, err = e.Authorization(t.Context(), auth.ID)
		wantCode(t, "deleted in Lytics", err, jobs.CodeNotFound, "")
		if err := e.DeleteAuthorization(t.Context(), auth.ID); err != nil {
			t.Errorf("got %v, want no error for an authorization that is gone", err)
		}
	}
}

// Whether Lytics refuses an authorization whose warehouse it cannot reach, or
// answers that it is unhealthy, is not documented.
func TestLyticsCannotReachTheWarehouse(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]lyticstest.Switches{"400": {}, "unhealthy": {UnhealthyAuth: true}} {
		a := openAccount(t, switches)
		e := a.open()
		c := lyticsAuth("warehouse")
		c.Host = lyticstest.Unreachable
		_, err := e.CreateAuthorization(t.Context(), c)
		code := jobs.CodeInvalid
		if switches.UnhealthyAuth {
			code = jobs.CodeUnreachable
		}
		wantCode(t, name, err, code, "host")
		if strings.Contains(err.Error(), warehouseToken) {
			t.Errorf("%s: the error has the token: %v", name, err)
		}
		if len(a.AuthConfigs()) != 0 {
			t.Errorf("%s: got %d authorizations in Lytics, want none", name, len(a.AuthConfigs()))
		}
		c.CheckConnection = false
		if _, err := e.CreateAuthorization(t.Context(), c); switches.UnhealthyAuth && err != nil {
			t.Errorf("%s: got %v, want no error without check_connection", name, err)
		}
	}
}

// Deleting an authorization forgets a job of it that somebody killed in Lytics. The audit log
// has the one change that was asked for.
func TestTheAuditLogOfAnAuthorizationWhoseJobWasKilled(t *testing.T) {
	t.Parallel()
	account := openAccount(t, lyticstest.Switches{})
	e := account.open()
	job := create(t, e, lyticsImport(t, e))
	account.outside("POST", "/v2/job/"+account.id()+"/kill", nil)
	a := engine.Audited{Engine: e}
	if err := a.DeleteAuthorization(t.Context(), job.AuthorizationID); err != nil {
		t.Fatal(err)
	}
	var got [][3]string
	for _, entry := range audited(t, a) {
		got = append(got, [3]string{entry.Action, entry.Object, entry.Result})
	}
	want := [][3]string{{"delete-authorization", job.AuthorizationID, "ok"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the audit log (-want +got):\n%s", d)
	}
	all, err := e.Jobs(t.Context())
	if err != nil || len(all) != 0 {
		t.Errorf("got %d jobs, %v; want none", len(all), err)
	}
}
