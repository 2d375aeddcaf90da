package databricks_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// settingsConf are the session's settings and their names in Spark's configuration.
var settingsConf = map[string]string{
	"TIMEZONE": "spark.sql.session.timeZone", "ANSI_MODE": "spark.sql.ansi.enabled", "STATEMENT_TIMEOUT": "spark.sql.thriftServer.queryTimeout",
}

func openOn(t *testing.T, s *sandboxtest.Sandbox) (*databricks.Warehouse, error) {
	t.Helper()
	return databricks.Open(t.Context(), databricks.Config{
		Host: s.Host, Port: s.Port, HTTPPath: s.HTTPPath, UserAgent: "lytics_test/1", LoopbackHosts: true, QueryTimeout: 10 * time.Minute,
		Token: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(s.Token), nil },
	})
}

// A SQL warehouse takes the settings when the session is opened: one statement proves it.
func TestOneStatementProvesTheSettingsOfAWarehouse(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	w, err := openOn(t, s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	if got := s.Statements(t); len(got) != 1 || !strings.Contains(got[0].Text, "current_timezone()") {
		t.Errorf("got the statements %+v, want the proof alone", got)
	}
}

// A cluster ignores a session's parameters. The session gets the settings by their names in
// Spark's configuration, and is in UTC, in ANSI mode, and ends statements after the timeout.
func TestAClusterGetsTheSettingsAsSparkConfigurations(t *testing.T) {
	t.Parallel()
	for name := range settingsConf {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			s.SetFault(t, sandboxtest.Fault{Kind: "ignored_setting", Match: name})
			w, err := openOn(t, s)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = w.Close() }()
			got, err := w.QueryTexts(t.Context(), "SELECT unix_micros(TIMESTAMP '2024-01-01 00:00:00')")
			if err != nil || got[0][0] != "1704067200000000" {
				t.Errorf("got midnight in UTC as %v, %v", got, err)
			}
			if _, err := w.QueryTexts(t.Context(), "SELECT CAST('x' AS INT)"); databricks.Class(err) != "CAST_INVALID_INPUT" {
				t.Errorf("a cast of 'x' to INT: got the error %v, want CAST_INVALID_INPUT", err)
			}
			set := false
			for _, statement := range s.Statements(t) {
				set = set || strings.HasPrefix(statement.Text, "SET "+settingsConf[name]+" = ")
			}
			if !set {
				t.Errorf("no statement sets %s", settingsConf[name])
			}
		})
	}
}

// Compute that neither takes a parameter nor lets Spark's configuration be changed is
// refused before anything is read. The error names the setting.
func TestComputeThatRefusesASettingIsNotUsed(t *testing.T) {
	t.Parallel()
	for name, conf := range settingsConf {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			s.SetFault(t, sandboxtest.Fault{Kind: "ignored_setting", Match: name},
				sandboxtest.Fault{Kind: "statement_error", Match: "^SET " + strings.ReplaceAll(conf, ".", `\.`), Times: -1,
					Message: `[CANNOT_MODIFY_CONFIG] Cannot modify the value of the Spark config: "` + conf + `". SQLSTATE: 46110`})
			w, err := openOn(t, s)
			if err == nil {
				_ = w.Close()
			}
			if !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), conf) {
				t.Errorf("got the error %v, want one that names %s and %s", err, name, conf)
			}
		})
	}
}

// A runtime without current_version() is a cluster.
func TestARuntimeWithoutCurrentVersionIsACluster(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "current_version", Times: -1,
		Message: "[UNRESOLVED_ROUTINE] Cannot resolve routine `current_version`. SQLSTATE: 42883"})
	w, err := openOn(t, s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	if err := w.SetStatementTimeout(t.Context(), time.Minute); err != nil {
		t.Error(err)
	}
	if got := s.Statements(t); len(got) != 4 || got[3].Text != "SET spark.sql.thriftServer.queryTimeout = 60" || !strings.HasPrefix(got[2].Text, "SET spark.sql.thriftServer.queryTimeout = 600") {
		t.Errorf("got the statements %+v, want two proofs and SET", got)
	}
}
