package cli_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// accessFake records the calls for tokens, and has an audit log of 250 entries.
type accessFake struct {
	fake
	calls []string
	// noPage is whether the address of the page is not known.
	noPage bool
}

func (f *accessFake) Tokens(context.Context) ([]jobs.Token, error) {
	return []jobs.Token{{ID: "tok_1", Name: "ci", Role: jobs.RoleOperate, CreatedAt: started, CreatedBy: "ada", ExpiresAt: &started}}, nil
}

func (f *accessFake) CreateToken(_ context.Context, s jobs.TokenSpec) (jobs.NewToken, error) {
	f.calls = append(f.calls, fmt.Sprintf("create %s %s %d", s.Name, s.Role, s.ExpiresInSeconds))
	return jobs.NewToken{Token: jobs.Token{ID: "tok_2", Name: s.Name, Role: s.Role}, Secret: jobs.NewSecret("lyr_THE_NEW_ONE")}, nil
}

func (f *accessFake) RotateToken(_ context.Context, name string, keepSeconds int64) (jobs.NewToken, error) {
	f.calls = append(f.calls, fmt.Sprintf("rotate %s %d", name, keepSeconds))
	return jobs.NewToken{Token: jobs.Token{ID: "tok_3", Name: name}, Secret: jobs.NewSecret("lyr_THE_NEXT_ONE")}, nil
}

func (f *accessFake) RevokeToken(_ context.Context, nameOrID string) (int64, error) {
	f.calls = append(f.calls, "revoke "+nameOrID)
	return 2, nil
}

func (f *accessFake) CreateSignInCode(context.Context) (jobs.SignInCode, error) {
	f.calls = append(f.calls, "link")
	return jobs.SignInCode{Code: jobs.NewSecret("THECODE"), ExpiresAt: started}, nil
}

func (f *accessFake) SignInURL(code jobs.Secret) string {
	if f.noPage {
		return ""
	}
	return "https://runner.example.com" + jobs.SignInPath(code)
}

func (f *accessFake) AuditLog(_ context.Context, filter jobs.AuditFilter) (jobs.AuditPage, error) {
	next := filter.Before
	if next == 0 {
		next = 251
	}
	var page jobs.AuditPage
	for len(page.Entries) < min(filter.Limit, 100) && next > 1 {
		next--
		page.Entries = append(page.Entries, jobs.AuditEntry{ID: next, At: started.Add(time.Duration(next)), Actor: "ci", Via: jobs.ViaAPI, Action: "pause-job",
			Object: fmt.Sprintf("job_%d", next), Result: filter.Actor + filter.Action})
	}
	if next > 1 {
		page.Next = next
	}
	return page, nil
}

func TestTokenCommands(t *testing.T) {
	t.Parallel()
	f := &accessFake{}
	for _, c := range []struct {
		args       []string
		code       int
		out, other string
	}{
		{[]string{"create", "--name", "ci", "--role", "operate"}, 0, "lyr_THE_NEW_ONE\n", "shown only now"},
		{[]string{"create", "--name", "ci", "--role", "read", "--expires", "1h", "--json"}, 0, `"token":"lyr_THE_NEW_ONE"`, ""},
		{[]string{"create", "--role", "operate"}, 1, "", "--name"},
		{[]string{"rotate", "--name", "ci"}, 0, "lyr_THE_NEXT_ONE\n", "has the role"},
		{[]string{"rotate", "--name", "ci", "--keep", "0s"}, 0, "lyr_THE_NEXT_ONE\n", ""},
		{[]string{"revoke", "--name", "ci"}, 0, "2 of the tokens were revoked", ""},
		{[]string{"revoke", "--id", "tok_1"}, 0, "2 of the tokens", ""},
		{[]string{"list"}, 0, "ci    operate  tok_1  2026-03-08 07:30:00Z  ada  2026-03-08 07:30:00Z", ""},
		{[]string{"link"}, 0, "https://runner.example.com/sign-in?code=THECODE\n", "signs in once, and is valid until 2026-03-08 07:30:00Z"},
		{[]string{"link", "--json"}, 0, `"url":"https://runner.example.com/sign-in?code=THECODE"`, ""},
		{[]string{"forge", "--name", "ci"}, 1, "", "create, list, rotate, revoke or link"},
	} {
		code, out, errOut := runAPI(t, f, append([]string{"token"}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errOut, c.other) {
			t.Errorf("%v: got %d, %q and %q; want %d, %q and %q", c.args, code, out, errOut, c.code, c.out, c.other)
		}
	}
	want := "create ci operate 0, create ci read 3600, rotate ci 86400, rotate ci 0, revoke ci, revoke tok_1, link, link"
	if got := strings.Join(f.calls, ", "); got != want {
		t.Errorf("got the calls %s, want %s", got, want)
	}
}

// The list reads as many pages as it needs, and no entry twice.
func TestAuditListReadsPages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		code int
		n    int
		says string
	}{
		{[]string{"list", "--json", "--actor", "a", "--action", "b"}, 0, 100, `"result":"ab"`},
		{[]string{"list", "--json", "--limit", "230"}, 0, 230, `"id":21,`},
		{[]string{"list", "--limit", "1000"}, 0, 251, "TIME"},
		{[]string{"list", "--limit", "0"}, 1, 0, ""},
		{[]string{"erase"}, 1, 0, ""},
	} {
		code, out, _ := runAPI(t, &accessFake{}, append([]string{"audit"}, c.args...)...)
		if n := strings.Count(out, "\n"); code != c.code || n != c.n || !strings.Contains(out, c.says) {
			t.Errorf("%v: got %d and %d lines, want %d, %d and %s", c.args, code, n, c.code, c.n, c.says)
		}
	}
}
