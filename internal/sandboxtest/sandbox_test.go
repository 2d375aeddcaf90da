package sandboxtest_test

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

func TestSandboxStartsAndAnswers(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	if s.S3Endpoint == "" || s.S3Bucket == "" || s.S3AccessKey == "" || s.S3SecretKey == "" || s.AdminURL == "" || s.Token == "" {
		t.Fatalf("a value is missing: %+v", s)
	}
	s.ForgetStatements(t)
	if got := s.Query(t, "SELECT 1"); len(got) != 1 || got[0][0] != "1" {
		t.Errorf("SELECT 1 gives %v", got)
	}
	if got := s.Statements(t); len(got) != 1 || got[0].Text != "SELECT 1" || got[0].Outcome != "FINISHED" {
		t.Errorf("statements: %+v", got)
	}
	s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "nothing"})
	s.ClearFaults(t)
	port, token := s.Port, s.Token
	s.Kill()
	s.Restart(t)
	if s.Port != port || s.Token != token {
		t.Errorf("after a restart it is at port %d with another token %t", s.Port, s.Token != token)
	}
	if got := s.Query(t, "SELECT 2"); len(got) != 1 || got[0][0] != "2" {
		t.Errorf("SELECT 2 gives %v", got)
	}
}
