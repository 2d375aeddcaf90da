package worker_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// newFixtureWithin is newFixture with another deadline of questions.
func newFixtureWithin(t *testing.T, within time.Duration, warehouse *sandboxtest.Sandbox) *fixture {
	t.Helper()
	s := settings{Dir: t.TempDir(), Work: warehouse == nil, AnswerWithin: within}
	if err := storetest.Create(filepath.Join(s.Dir, "data")); err != nil {
		t.Fatal(err)
	}
	return newFixtureOn(t, s, warehouse)
}

// client is a client of the runner's API over HTTP.
func (f *fixture) client() *client.Client {
	f.t.Helper()
	token := jobs.NewSecret("token-of-the-runner-4d1")
	server := httptest.NewServer(api.New(api.Config{API: f.served, Token: token, Release: version}).Handler())
	f.t.Cleanup(server.Close)
	c, err := client.New(client.Config{URL: server.URL, Token: token, Release: version})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			f.t.Error(err)
		}
	})
	return c
}

// workspace serves a workspace, and returns a connection to it.
func workspace(t *testing.T, h http.Handler) jobs.AuthorizationSpec {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	return jobs.AuthorizationSpec{Label: "workspace", Host: "http://" + at.Hostname(), Port: port, HTTPPath: "/sql/1.0/warehouses/a"}
}

// requests are one of each kind of request that makes a workspace answer. The credential of
// the last two is a secret that is not stored.
func requests(c jobs.API, at jobs.AuthorizationSpec) map[string]func(ctx context.Context) error {
	secret := jobs.NewSecret(canary)
	byToken := jobs.AuthorizationChange{AuthorizationSpec: at, Token: &secret}
	checked, byVariable := byToken, at
	checked.CheckConnection, byVariable.TokenEnv = true, canaryVariable
	return map[string]func(ctx context.Context) error{
		"list": func(ctx context.Context) error {
			_, err := c.ListCatalog(ctx, jobs.CatalogQuery{
				Connection: byVariable, Level: jobs.LevelTables, In: jobs.TableName{Catalog: "main", Database: "sales"}})
			return err
		},
		"dry run": func(ctx context.Context) error {
			_, err := c.DryRunOf(ctx, jobs.DryRunRequest{Connection: &byToken, Definition: importOf("orders")})
			return err
		},
		"check": func(ctx context.Context) error {
			_, err := c.CreateAuthorization(ctx, checked)
			return err
		},
	}
}

func importOf(table string) jobs.JobSpec {
	return jobs.JobSpec{Label: table, QueryTimeout: time.Minute, Import: &jobs.TableImport{
		Catalog: "main", Database: "sales", Table: table, TimestampColumn: "ts", Stream: table}}
}
