package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
)

// encodings are the ways in which a far side or a library may repeat a secret.
func encodings(secret string) map[string]string {
	quotedJSON, _ := json.Marshal(map[string]string{"a": secret})
	out := map[string]string{
		"raw":    "before " + secret + " after",
		"json":   string(quotedJSON),
		"go":     fmt.Sprintf("%q", secret),
		"query":  "a=" + url.QueryEscape(secret) + "&b",
		"path":   "/a/" + url.PathEscape(secret) + "/b",
		"lower":  strings.ToLower("%2f") + lowerEscapes(url.QueryEscape(secret)),
		"html":   "<b>" + html.EscapeString(secret) + "</b>",
		"hex":    hex.EncodeToString([]byte(secret)),
		"client": "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape("id")+":"+url.QueryEscape(secret))),
	}
	for name, e := range map[string]*base64.Encoding{
		"std": base64.StdEncoding, "url": base64.URLEncoding, "rawstd": base64.RawStdEncoding, "rawurl": base64.RawURLEncoding,
	} {
		for _, before := range []string{"", "u", "us", "user:", "a user:"} {
			for _, after := range []string{"", "!", "!!", "!!!"} {
				text := e.EncodeToString([]byte(before + secret + after))
				out[fmt.Sprintf("base64 %s of %q", name, before+"..."+after)] = "Basic: " + text
				out[fmt.Sprintf("escaped base64 %s of %q", name, before+"..."+after)] = "x=" + url.QueryEscape(text)
			}
		}
	}
	return out
}

func TestEveryFormOfASecretIsFound(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{
		"dapi0123456789abcdef", `p/w+"<&>'\ =`, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "päßwört-ü", "12345678", "line\nend\ttab\x01",
	} {
		for name, text := range encodings(secret) {
			got := without(text, secret)
			if !strings.Contains(got, Marker) {
				t.Errorf("%q as %s: %q has no marker", secret, name, got)
			}
			if strings.Contains(got, secret) {
				t.Errorf("%q as %s is in %q", secret, name, got)
			}
			if twice := without(got, secret); twice != got {
				t.Errorf("%q as %s: got %q at the second time, want %q", secret, name, twice, got)
			}
		}
	}
}

// What stays of an encoded secret has less than a byte of it.
func TestNothingStaysBesideAnEncodedSecret(t *testing.T) {
	t.Parallel()
	const secret = "canary-7f3a-secret"
	for before := range 4 {
		for after := range 4 {
			text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("b", before) + secret + strings.Repeat("a", after)))
			first, last, ok := strings.Cut(without(text, secret), Marker)
			if most := before * 8 / 6; !ok || len(first) > most {
				t.Errorf("%d before, %d after: %q stays before the marker, want %d characters", before, after, first, most)
			}
			if decoded, err := base64.StdEncoding.DecodeString(last); err == nil && strings.Trim(string(decoded), "a") != "" {
				t.Errorf("%d before, %d after: %q stays after the marker", before, after, last)
			}
		}
	}
}

// A short secret is found where no word continues it. The neighbouring secret, which is
// replaced, is no such word.
func TestAShortSecretBesideAnotherOneIsFound(t *testing.T) {
	t.Parallel()
	const long, short = "canary-7f3a-secret", "pw1"
	for text, want := range map[string]string{
		long + short:               Marker + Marker,
		short + long:               Marker + Marker,
		short + long + short + ".": Marker + Marker + Marker + ".",
		long + short + "x":         Marker + short + "x",
	} {
		if got := without(text, long, short); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// A text of short secrets that each stand alone only when the one beside it was replaced takes
// a pass for each. Nothing of a text that takes too many is left.
func TestATextOfShortSecretsHasNoneInTheEnd(t *testing.T) {
	t.Parallel()
	for _, times := range []int{5, 5000} {
		if got := without(strings.Repeat("pw1]", times), "pw1]"); strings.Contains(got, "pw1") {
			t.Errorf("%d times: got %.200q", times, got)
		}
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("a token canary-7f3a stands here", "canary-7f3a", "REDACTED")
	f.Add("[redacted] and Basic dXNlcjpjYW5hcnktN2YzYQ==", "canary-7f3a", "[redacted]")
	f.Add("https://a:b@c/?sig=d", "redacted]", "acted] a")
	f.Fuzz(func(t *testing.T, text, one, two string) {
		for _, secret := range []string{one, two} {
			if len(secret) > 200 {
				return
			}
		}
		once := without(text+one+text, one, two)
		if twice := without(once, one, two); len(twice) > len(once) {
			t.Errorf("the text grew from %q to %q", once, twice)
		}
		// Whoever looks for the marker's own text finds it.
		for _, secret := range []string{one, two} {
			if len(secret) >= anywhere && strings.Contains(strings.ReplaceAll(once, Marker, "\x00"), secret) {
				t.Errorf("%q is in %q", secret, once)
			}
		}
	})
}
