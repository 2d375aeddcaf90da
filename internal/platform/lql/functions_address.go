package lql

import (
	"net/mail"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/mssola/user_agent"
	"golang.org/x/net/publicsuffix"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// addressFunctions parse mail addresses, URLs and user agents.
var addressFunctions = map[string]*function{
	"email":         one(of(value.String), email),
	"emailname":     one(of(value.String), emailName),
	"emaildomain":   one(of(value.String), emailDomain),
	"host":          one(of(value.String), host),
	"hosts":         {min: 1, result: of(value.List), eval: hosts},
	"domain":        one(of(value.String), domain),
	"domains":       {min: 1, result: of(value.List), eval: domains},
	"path":          ofURL(path),
	"urlmain":       ofURL(func(s string) (value.Value, bool) { return urlWithout(s, nil) }),
	"urldecode":     ofURL(urlDecode),
	"urlminusqs":    {min: 2, max: 2, result: of(value.String), eval: urlMinusParameter},
	"qs":            {min: 2, max: 2, result: of(value.String), eval: parameter(strings.ToLower)},
	"qsl":           {min: 2, max: 2, result: of(value.String), eval: parameter(strings.ToLower)},
	"qs2":           {min: 2, max: 2, result: of(value.String), eval: parameter(func(s string) string { return s })},
	"url.matchqs":   {min: 1, result: of(value.String), prepare: matchParameters},
	"useragent":     {min: 2, max: 2, result: of(value.String), eval: userAgentPart},
	"useragent.map": one(of(value.Map), userAgentMap),
}

// email returns a mail address in lower case. It accepts "Ann <ANN@Example.com>" as
// well.
func email(v value.Value) (value.Value, bool) {
	s := firstText(v)
	if plainAddress(s) {
		return text(strings.ToLower(s))
	}
	a, err := mail.ParseAddress(s)
	if s == "" || err != nil {
		return no()
	}
	return text(strings.ToLower(a.Address))
}

// plainAddress reports whether the text is an address that needs no parsing, for speed.
func plainAddress(s string) bool {
	at := strings.IndexByte(s, '@')
	if at < 1 || at == len(s)-1 || s[0] == '.' || s[at-1] == '.' || s[at+1] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i != at && !(c == '.' || c == '_' || c == '-' || c == '+' || c-'0' <= 9 || c-'a' <= 25 || c-'A' <= 25) {
			return false
		}
	}
	return true
}

func emailName(v value.Value) (value.Value, bool) {
	s, _ := scalarText(v)
	a, err := mail.ParseAddress(s)
	if err != nil {
		return no()
	}
	return text(a.Name)
}

func emailDomain(v value.Value) (value.Value, bool) {
	s, _ := scalarText(v)
	a, ok := email(value.OfString(s))
	if !ok {
		return no()
	}
	return text(a.Str()[strings.LastIndexByte(a.Str(), '@')+1:])
}

// ofURL returns a function of one URL: the argument, or the first member of a list.
func ofURL(f func(s string) (value.Value, bool)) *function {
	return one(of(value.String), func(v value.Value) (value.Value, bool) {
		s := firstText(v)
		if s == "" {
			return no()
		}
		return f(s)
	})
}

// withScheme adds http:// to a URL without a scheme.
func withScheme(s string) string {
	if strings.HasPrefix(s, "http") {
		return s
	}
	return "http://" + s
}

// withSchemeUnlessPath is withScheme, but returns short texts and texts that begin like
// a path unchanged.
func withSchemeUnlessPath(s string) string {
	if len(s) > 6 && !strings.Contains(s[:5], "/") {
		return withScheme(s)
	}
	return s
}

func hostOf(s string) (string, bool) {
	u, err := url.Parse(withScheme(strings.ToLower(s)))
	if err != nil {
		return "", false
	}
	return u.Host, true
}

func host(v value.Value) (value.Value, bool) {
	s := firstText(v)
	if s == "" {
		return no()
	}
	h, ok := hostOf(s)
	return value.OfString(h), ok
}

// urlsOf returns the texts of strings and of the members of lists.
func urlsOf(args []value.Value) []string {
	var out []string
	for _, a := range args {
		if a.Kind() != value.String && a.Kind() != value.List {
			continue
		}
		for _, e := range elements(a) {
			if s := textOf(e); s != "" {
				out = append(out, s)
			}
		}
	}
	return out
}

func hosts(_ *Record, args []value.Value) (value.Value, bool) {
	var out []string
	for _, s := range urlsOf(args) {
		if h, ok := hostOf(s); ok {
			out = append(out, h)
		}
	}
	return texts(out), len(out) > 0
}

// domainOf is the registrable domain of a host: example.co.uk.
func domainOf(s string) (string, bool) {
	h, ok := hostOf(s)
	if !ok || len(h) <= 2 {
		return "", false
	}
	d, err := publicsuffix.EffectiveTLDPlusOne(h)
	return d, err == nil
}

func domain(v value.Value) (value.Value, bool) {
	d, ok := domainOf(firstText(v))
	return value.OfString(d), ok
}

// shortestURL is the length in bytes of the shortest text that the function domains
// accepts, as in Lytics.
const shortestURL = 4

func domains(_ *Record, args []value.Value) (value.Value, bool) {
	var out []string
	for _, s := range urlsOf(args) {
		if d, ok := domainOf(s); ok && len(s) >= shortestURL {
			out = append(out, d)
		}
	}
	return texts(out), len(out) > 0
}

func path(s string) (value.Value, bool) {
	u, err := url.Parse(withSchemeUnlessPath(strings.ToLower(s)))
	if err != nil {
		return no()
	}
	return text(u.Path)
}

func urlDecode(s string) (value.Value, bool) {
	decoded, err := url.QueryUnescape(s)
	return validText(decoded), err == nil
}

func parameter(change func(string) string) functionEval {
	return func(_ *Record, args []value.Value) (value.Value, bool) {
		s, key := firstText(args[0]), ""
		if key, _ = scalarText(args[1]); s == "" || key == "" {
			return no()
		}
		u, err := url.Parse(withSchemeUnlessPath(change(s)))
		if err != nil {
			return no()
		}
		found := u.Query().Get(key)
		return validText(found), found != ""
	}
}

// urlMinusParameter returns a URL without its fragment and without one parameter. If the
// URL does not have the parameter, the question mark stays, as in Lytics.
func urlMinusParameter(_ *Record, args []value.Value) (value.Value, bool) {
	s := firstText(args[0])
	key, _ := scalarText(args[1])
	u, err := url.Parse(withSchemeUnlessPath(s))
	if s == "" || key == "" || err != nil {
		return no()
	}
	query, query0 := u.RawQuery, u.Query()
	mark := "?"
	if _, ok := query0[key]; ok {
		query0.Del(key)
		if query = query0.Encode(); query == "" {
			mark = ""
		}
	}
	return text(u.Scheme + "://" + u.Host + u.Path + mark + query)
}

// matchParameters is url.matchqs: it returns a URL without its scheme and fragment, and
// with only the parameters whose names match a regular expression.
func matchParameters(args []node) (functionEval, string) {
	var patterns []*regexp.Regexp
	for _, a := range args[1:] {
		expr, ok := literalText(a)
		if !ok || expr == "" {
			return nil, "the patterns must be literal regular expressions"
		}
		p, err := regexp.Compile(expr)
		if err != nil {
			return nil, err.Error()
		}
		patterns = append(patterns, p)
	}
	return func(_ *Record, args []value.Value) (value.Value, bool) {
		s := firstText(args[0])
		if s == "" {
			return no()
		}
		return urlWithout(s, patterns)
	}, ""
}

// urlWithout returns the host and the path of a URL, and the parameters that match.
func urlWithout(s string, patterns []*regexp.Regexp) (value.Value, bool) {
	u, err := url.Parse(s)
	if err != nil {
		return no()
	}
	kept := url.Values{}
	if len(patterns) > 0 {
		for name, values := range u.Query() {
			for _, p := range patterns {
				if p.MatchString(name) {
					kept[name] = values
				}
			}
		}
	}
	if len(kept) > 0 {
		return validText(u.Host + u.Path + "?" + kept.Encode()), true
	}
	return validText(u.Host + u.Path), true
}

// userAgentParts are the properties of a user agent by name.
var userAgentParts = map[string]func(ua *user_agent.UserAgent) string{
	"bot":             func(ua *user_agent.UserAgent) string { return strconv.FormatBool(ua.Bot()) },
	"mobile":          func(ua *user_agent.UserAgent) string { return strconv.FormatBool(ua.Mobile()) },
	"mozilla":         func(ua *user_agent.UserAgent) string { return ua.Mozilla() },
	"platform":        func(ua *user_agent.UserAgent) string { return ua.Platform() },
	"os":              func(ua *user_agent.UserAgent) string { return ua.OS() },
	"engine":          func(ua *user_agent.UserAgent) string { name, _ := ua.Engine(); return name },
	"engine_version":  func(ua *user_agent.UserAgent) string { _, version := ua.Engine(); return version },
	"browser":         func(ua *user_agent.UserAgent) string { name, _ := ua.Browser(); return name },
	"browser_version": func(ua *user_agent.UserAgent) string { _, version := ua.Browser(); return version },
}

// longestUserAgent limits the cost of parsing a hostile header.
const longestUserAgent = 4096

func parseUserAgent(v value.Value) (ua *user_agent.UserAgent, ok bool) {
	s := firstText(v)
	if s == "" || len(s) > longestUserAgent {
		return nil, false
	}
	// The library panics for some texts.
	defer func() {
		if recover() != nil {
			ua, ok = nil, false
		}
	}()
	return user_agent.New(s), true
}

func userAgentPart(_ *Record, args []value.Value) (value.Value, bool) {
	name, _ := scalarText(args[1])
	part, known := userAgentParts[strings.ToLower(name)]
	ua, ok := parseUserAgent(args[0])
	if !ok || !known {
		return no()
	}
	return text(part(ua))
}

func userAgentMap(v value.Value) (value.Value, bool) {
	ua, ok := parseUserAgent(v)
	if !ok {
		return no()
	}
	var entries []value.Entry
	for name, part := range userAgentParts {
		entries = append(entries, value.Entry{Key: name, Value: value.OfString(part(ua))})
	}
	return mapAnswer(entries)
}
