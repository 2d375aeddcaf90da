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

// stringRule is a validator.String made from a function. It accepts null and unknown
// values.
type stringRule struct {
	rule  string
	check func(string) error
}

func (r stringRule) Description(context.Context) string         { return r.rule }
func (r stringRule) MarkdownDescription(context.Context) string { return r.rule }

func (r stringRule) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := r.check(req.ConfigValue.ValueString()); err != nil {
		addInvalidValue(&resp.Diagnostics, req.Path, err)
	}
}

// addInvalidValue adds the error of a value that a rule refused.
func addInvalidValue(diags *diag.Diagnostics, at path.Path, err error) {
	diags.AddAttributeError(at, fmt.Sprintf("%s cannot be used as it is", at), err.Error())
}

// nonEmptyText refuses empty text and control characters, which no name, path or
// label can have.
func nonEmptyText() validator.String {
	return stringRule{rule: "not empty, without control characters", check: func(s string) error {
		if strings.TrimSpace(s) == "" {
			return fmt.Errorf("it is empty: give it text, or leave it out where it is optional")
		}
		return noControl(s)
	}}
}

// multilineText allows empty text and several lines.
func multilineText() validator.String {
	return stringRule{rule: "no control characters except newline and tab", check: func(s string) error {
		return noControl(strings.NewReplacer("\n", "", "\t", "", "\r", "").Replace(s))
	}}
}

func noControl(s string) error {
	for i, r := range s {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return fmt.Errorf("it has the control or broken character %U at byte %d: remove it", r, i)
		}
	}
	return nil
}

// hostNameRule accepts a bare host name or, for local use, scheme and host.
func hostNameRule() validator.String {
	return stringRule{rule: "a host name, or http(s):// and a host name", check: func(s string) error {
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
			return fmt.Errorf("it has a user name or password: put the token into token_wo")
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

// sinceLayout is the format of since_timestamp, in UTC.
const sinceLayout = "2006-01-02 15:04:05"

func sinceTimestamp() validator.String {
	return stringRule{rule: "yyyy-mm-dd HH:MM:SS, in UTC", check: func(s string) error {
		t, err := time.Parse(sinceLayout, s)
		// Parse accepts "1:00"; comparing with the formatted time does not.
		if err != nil || t.Format(sinceLayout) != s {
			return fmt.Errorf("%q is not a time of the form yyyy-mm-dd HH:MM:SS (UTC): write for example \"2026-01-31 00:00:00\"", s)
		}
		return nil
	}}
}

// envName accepts the name of an environment variable. It also catches a token
// that was written in place of the name.
func envName() validator.String {
	return stringRule{rule: "the name of an environment variable", check: func(s string) error {
		for i, r := range s {
			letter := r == '_' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
			if !letter && (i == 0 || r < '0' || r > '9') {
				return fmt.Errorf("it is not the name of an environment variable (letters, digits and _): give the variable's name, " +
					"never the token itself")
			}
		}
		if strings.HasPrefix(s, "dapi") {
			return fmt.Errorf("it looks like a token: give the name of the environment variable that holds it, or use token_wo")
		}
		return nil
	}}
}

// rfc3339 accepts a time with an offset.
func rfc3339() validator.String {
	return stringRule{rule: "a time as RFC 3339", check: func(s string) error {
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return fmt.Errorf("%q is not a time: write it as 2026-01-31T00:00:00Z", s)
		}
		return nil
	}}
}

// positiveDuration accepts a length of time that is more than nothing.
func positiveDuration() validator.String {
	return stringRule{rule: "a duration, such as 90m", check: func(s string) error {
		if d, err := time.ParseDuration(s); err != nil || d <= 0 {
			return fmt.Errorf("%q is not a length of time: write for example \"90m\" or \"36h\"", s)
		}
		return nil
	}}
}
