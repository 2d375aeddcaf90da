package redact

import (
	"strings"
	"testing"
)

// without returns a text without the given secrets.
func without(text string, secrets ...string) string {
	x := index{}
	for i, s := range secrets {
		x.add(uint64(i), formsOf(s))
	}
	return x.replace(replaceShapes(text))
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text    string
		secrets []string
		want    string
	}{
		{"sent canary, canary", []string{"canary"}, "sent [redacted], [redacted]"},
		{"canary-2", []string{"canary", "canary-2"}, "[redacted]"},
		{"nothing", []string{"", "canary"}, "nothing"},
		{"", []string{"canary"}, ""},
		{"sent [redacted] twice", []string{"redacted", "[redacted]", "[", "act"}, "sent [redacted] twice"},
		{"the word redacted", []string{"redacted"}, "the word [redacted]"},
		{"a secret of a[redacted]b", []string{"a[redacted]b"}, "a secret of [redacted]"},
		{"REDACTED, and *** and ******", []string{"REDACTED", "***", "******"}, "[redacted], and [redacted] and [redacted]"},
		// A short secret is found where it stands alone.
		{"a tokens's token, token2, token_env, to-token (token)", []string{"token"}, "a tokens's [redacted], token2, token_env, to-token ([redacted])"},
		{"a b ab", []string{"a", "ab"}, "a b ab"},
		{"xcanary-12y", []string{"canary-12"}, "x[redacted]y"},
		// Messages are cut at a length.
		{"invalid token canary-0123456789-012345", []string{"canary-0123456789-0123456789"}, "invalid token [redacted]"},
		{"canary-0123456789-01... is invalid", []string{"canary-0123456789-0123456789"}, "[redacted]... is invalid"},
		{"canary-01... canary-0123456789-02 are others", []string{"canary-0123456789-0123456789"}, "canary-01... canary-0123456789-02 are others"},
	} {
		got := without(c.text, c.secrets...)
		if got != c.want {
			t.Errorf("%q without %q: got %q, want %q", c.text, c.secrets, got, c.want)
		}
		if twice := without(got, c.secrets...); twice != got {
			t.Errorf("%q without %q: got %q at the second time, want %q", c.text, c.secrets, twice, got)
		}
	}
}

func TestShapesOfCredentials(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"dial postgres://lytics:p@ss%2F@db:5432/x?a=b@c: refused", "dial postgres://[redacted]@db:5432/x?a=b@c: refused"},
		{"https://user@host/ and https://host/a@b", "https://[redacted]@host/ and https://host/a@b"},
		{"https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA%2F1&X-Amz-Expires=900&X-Amz-Signature=0a1b",
			"https://b.s3.amazonaws.com/k?X-Amz-Credential=[redacted]&X-Amz-Expires=900&X-Amz-Signature=[redacted]"},
		{`{"link":"https://c.blob.core.windows.net/x?sv=1\u0026sig=aB%2Bc%3D"}`,
			`{"link":"https://c.blob.core.windows.net/x?sv=1\u0026sig=[redacted]"}`},
		{"Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln was refused", "Authorization: Bearer [redacted] was refused"},
		{"the bearer of bad news, basic authentication", "the bearer of bad news, basic authentication"},
		{"token dapi0123456789abcdef0123456789abcdef-2 expired", "token [redacted] expired"},
		{"lyr_" + strings.Repeat("A2", 26) + " is revoked", "[redacted] is revoked"},
		{"SELECT 'it''s', token FROM t WHERE a = 'b'", "SELECT 'it''s', token FROM t WHERE a = 'b'"},
	} {
		got := without(c.text)
		if got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		if twice := without(got); twice != got {
			t.Errorf("redacted twice: got %s, want %s", twice, got)
		}
	}
}
