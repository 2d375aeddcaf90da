//nolint:thelper // the functions given to onEach are the bodies of subtests
package lytics_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
)

// checklist 65: with a token of another account, nothing is read, sent or changed.
func TestAStoreBelongsToOneAccount(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
		ctx := t.Context()
		bound, err := b.CheckAccount(ctx)
		if err != nil || bound == "" {
			t.Fatalf("the store is bound to %q, %v; want the first account", bound, err)
		}
		b.profiles(3)
		if bound, err = b.CheckAccount(ctx); err != nil || bound != "" {
			t.Errorf("the same account again: bound to %q, %v; want neither", bound, err)
		}
		b.server.SetAccount("0123456789abcdef0123456789abcdef")
		b.reopen()
		wrong := func(what string, err error) {
			t.Helper()
			refused(t, what, err, jobs.CodeStore, "platform.lytics.token", "4f7b525bdba058fc096757a64f7b525b", "0123456789abcdef0123456789abcdef", "store of its own")
		}
		_, err = b.CheckAccount(ctx)
		wrong("check", err)
		_, err = b.Field(ctx, "id")
		wrong("read", err)
		_, err = b.CreateField(ctx, age)
		wrong("create", err)
		wrong("send", b.send("s", events(3, 1)))
		_, _, err = b.Scan(ctx, "all", nil)
		wrong("scan", err)
		if n := len(b.arrived("s")); n != 3 {
			t.Errorf("%d events arrived, want 3", n)
		}
		b.server.SetAccount("4f7b525bdba058fc096757a64f7b525b")
		b.reopen()
		b.must(b.Field(ctx, "id"))
	})
}

func TestTheOwnAccountOfAFamilyIsFound(t *testing.T) {
	t.Parallel()
	child := "00000000000000000000000000000001"
	for _, v1 := range []bool{false, true} {
		o := lyticstest.Options{Children: []string{child}, Switches: lyticstest.Switches{AccountV1: v1}}
		b := open(t, o)
		bound, err := b.CheckAccount(t.Context())
		if want := "Account 4f7b525bdba058fc096757a64f7b525b (4f7b525bdba058fc096757a64f7b525b)"; err != nil || bound != want {
			t.Errorf("v1 %t: bound to %q, %v; want %q", v1, bound, err, want)
		}
		b = open(t, o, func(c *lytics.Config) { c.AccountID = child })
		if bound, err = b.CheckAccount(t.Context()); err != nil || bound != "Account "+child+" ("+child+")" {
			t.Errorf("v1 %t: bound to %q, %v; want the child", v1, bound, err)
		}
	}
}

// If Lytics cannot be reached, the check succeeds for a store that is bound to an account,
// and fails for one that is not.
func TestABoundStorePassesTheCheckWhileLyticsIsUnreachable(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	away := lyticstest.Fault{Path: "/v2/account", Status: 503, Times: -1}
	b.server.Inject(away)
	_, err := b.CheckAccount(t.Context())
	refused(t, "an unbound store", err, jobs.CodeUnreachable, "")
	b = open(t, lyticstest.Options{})
	b.must(b.CheckAccount(t.Context()))
	b.server.Inject(away)
	b.reopen()
	b.must(b.CheckAccount(context.Background()))
}

// checklist 65: a token that is read again after a refusal is checked before it is used.
func TestARenewedTokenOfAnotherAccountIsRefused(t *testing.T) {
	t.Parallel()
	token := canary
	b := open(t, lyticstest.Options{})
	b.reopen(func(c *lytics.Config) {
		c.Token = func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(token), nil }
	})
	b.must(b.CreateField(t.Context(), age))
	token = "a-token-of-another-account"
	b.server.SetToken(token)
	b.server.SetAccount("0123456789abcdef0123456789abcdef")
	before := len(b.server.Requests())
	_, err := b.Field(t.Context(), "age")
	refused(t, "read", err, jobs.CodeStore, "platform.lytics.token", "0123456789abcdef0123456789abcdef", "store of its own")
	for _, r := range b.server.Requests()[before:] {
		if r.Status == http.StatusOK && r.Path != "/v2/account" {
			t.Errorf("%s %s was answered to the token of another account", r.Method, r.Path)
		}
	}
}
