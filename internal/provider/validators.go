package provider

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// textRule is a validator.String from a function; null and unknown values
// never reach it.
type textRule struct {
	rule  string
	check func(string) error
}

func (r textRule) Description(context.Context) string         { return r.rule }
func (r textRule) MarkdownDescription(context.Context) string { return r.rule }

func (r textRule) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := r.check(req.ConfigValue.ValueString()); err != nil {
		addInvalid(&resp.Diagnostics, req.Path, err)
	}
}

// addInvalid reports a value that a rule refused.
func addInvalid(diags *diag.Diagnostics, at path.Path, err error) {
	diags.AddAttributeError(at, fmt.Sprintf("%s cannot be used as it is", at), err.Error())
}

// plainText refuses what no name, path or label can be.
func plainText() validator.String {
	return textRule{rule: "not empty, without control characters", check: func(s string) error {
		if strings.TrimSpace(s) == "" {
			return fmt.Errorf("it is empty: give it text, or leave it out where it is optional")
		}
		return noControl(s)
	}}
}

// description is plainText that may be empty and have several lines.
func description() validator.String {
	return textRule{rule: "no control characters but newline and tab", check: func(s string) error {
		return noControl(strings.NewReplacer("\n", "", "\t", "", "\r", "").Replace(s))
	}}
}

func noControl(s string) error {
	for i, r := range s {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return fmt.Errorf("it holds the control or broken character %U at byte %d: remove it", r, i)
		}
	}
	return nil
}

// hostName wants a bare host name, or for local use scheme and host.
func hostName() validator.String {
	return textRule{rule: "a host name, or http(s):// and a host name", check: func(s string) error {
		bare := s
		if scheme, rest, ok := strings.Cut(s, "://"); ok {
			if scheme != "http" && scheme != "https" {
				return fmt.Errorf("its scheme is %q: use https, or http for a local sandbox", scheme)
			}
			bare = rest
		}
		u, err := url.Parse("https://" + bare)
		switch {
		case err != nil || strings.ContainsFunc(bare, unicode.IsSpace):
			return fmt.Errorf("%q is not a host name: copy \"Server hostname\" from the warehouse's connection details", s)
		case u.User != nil:
			return fmt.Errorf("it carries a user name or password: put the token into token_wo")
		case strings.ContainsAny(bare, "/?#"):
			return fmt.Errorf("%q has a path: put it into http_path", s)
		case u.Port() != "" || strings.HasSuffix(bare, ":"):
			return fmt.Errorf("%q has a port: put it into port", s)
		case u.Hostname() == "":
			return fmt.Errorf("%q names no host: copy \"Server hostname\" from the warehouse's connection details", s)
		}
		return nil
	}}
}

// sinceLayout is the one form of since_timestamp, in UTC.
const sinceLayout = "2006-01-02 15:04:05"

func sinceTimestamp() validator.String {
	return textRule{rule: "yyyy-mm-dd HH:MM:SS, in UTC", check: func(s string) error {
		t, err := time.Parse(sinceLayout, s)
		// Parse is lenient about digits; writing it again is not.
		if err != nil || t.Format(sinceLayout) != s {
			return fmt.Errorf("%q is not a time of the form yyyy-mm-dd HH:MM:SS (UTC): write for example \"2026-01-31 00:00:00\"", s)
		}
		return nil
	}}
}

// envName wants the name of an environment variable, which is a cheap way to
// notice that somebody put the token itself there.
func envName() validator.String {
	return textRule{rule: "the name of an environment variable", check: func(s string) error {
		for i, r := range s {
			letter := r == '_' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
			if !letter && (i == 0 || r < '0' || r > '9') {
				return fmt.Errorf("it is not the name of an environment variable (letters, digits and _): give the variable's name, never the token itself")
			}
		}
		if strings.HasPrefix(s, "dapi") {
			return fmt.Errorf("it looks like a token: give the name of the environment variable that holds it, or use token_wo")
		}
		return nil
	}}
}

// rfc3339 accepts a moment with its offset.
func rfc3339() validator.String {
	return textRule{rule: "a time as RFC 3339", check: func(s string) error {
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return fmt.Errorf("%q is no time: write it as 2026-01-31T00:00:00Z", s)
		}
		return nil
	}}
}
