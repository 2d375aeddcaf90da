//go:build unix

package login_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Opening a pipe would wait until somebody writes to it, for as long as the process runs.
func TestAPipeIsNoTokenFile(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for attribute, l := range map[string]jobs.Login{
		"token_file": {Kind: jobs.LoginTokenFile, File: pipe},
		"profile":    {Kind: jobs.LoginProfile, Profile: "ci", File: pipe},
	} {
		err := connect(t, jobs.AuthorizationSpec{Host: "dbc-1.cloud.databricks.com", Port: 443, HTTPPath: "/sql/1.0/warehouses/a"}, l, "", nil)
		wantFailure(t, err, jobs.CodeInvalid, attribute, nil, "is not a file")
	}
}
