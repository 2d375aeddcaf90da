package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strconv"
	"strings"
)

const (
	// shortest is the length of the shortest secret that is looked for.
	shortest = 3
	// anywhere is the length from which a secret is found inside other words.
	anywhere = 8
)

// form is a secret as it may occur in a text.
type form struct {
	text string
	// alone means that the form is found only where no word continues it.
	alone bool
	// encoded marks base64: the neighbouring characters hold bits of the secret.
	encoded bool
	// owner is the secret that the form is of.
	owner uint64
}

// formsOf returns the forms of a secret.
func formsOf(secret string) []form {
	if len(secret) < shortest {
		return nil
	}
	if len(secret) < anywhere {
		return []form{{text: secret, alone: true}}
	}
	seen := map[string]bool{}
	var forms []form
	add := func(encoded bool, texts ...string) {
		for _, text := range texts {
			if len(text) >= anywhere && !seen[text] {
				seen[text] = true
				forms = append(forms, form{text: text, encoded: encoded})
			}
		}
	}
	add(false, secret, sqlLiteral.Replace(secret), strings.ReplaceAll(secret, "'", "''"))
	add(false, html.EscapeString(secret))
	add(false, quoted(secret)...)
	add(false, urlEscaped(secret)...)
	add(false, hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))))
	add(true, base64Cores(secret)...)
	// OAuth escapes the secret before it encodes it for Basic.
	add(true, base64Cores(url.QueryEscape(secret))...)
	return forms
}

// sqlLiteral escapes as a string literal of Spark SQL does.
var sqlLiteral = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// quoted returns the text as JSON, with and without escaped HTML, and Go quote it.
func quoted(text string) []string {
	var plain strings.Builder
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string and a strings.Builder never fail
	escaped, _ := json.Marshal(text)
	out := []string{strings.TrimSpace(plain.String()), string(escaped), strconv.Quote(text), strconv.QuoteToASCII(text)}
	for i, q := range out {
		out[i] = q[1 : len(q)-1]
	}
	return append(out, strings.ReplaceAll(out[0], "/", `\/`))
}

// urlEscaped returns the text as it is escaped in paths and queries, with upper and
// lower case digits.
func urlEscaped(text string) []string {
	var strict strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~", c) >= 0:
			strict.WriteByte(c)
		default:
			strict.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	out := []string{url.QueryEscape(text), url.PathEscape(text), strict.String()}
	for _, t := range out {
		out = append(out, lowerEscapes(t))
	}
	return out
}

// lowerEscapes writes the digits of the escapes %XX in lower case.
func lowerEscapes(text string) string {
	out := []byte(text)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:i+3], strings.ToLower(string(out[i+1:i+3])))
			i += 2
		}
	}
	return string(out)
}

// base64Cores returns the characters that depend only on the secret when it is
// encoded in base64 inside a longer text, for each of the three positions at which
// it may begin in a group of three bytes.
func base64Cores(secret string) []string {
	var out []string
	for before := range 3 {
		whole := append(make([]byte, before), secret...)
		from, to := (8*before+5)/6, 8*len(whole)/6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			core := encoding.EncodeToString(whole)[from:to]
			out = append(out, core, url.QueryEscape(core), lowerEscapes(url.QueryEscape(core)))
		}
	}
	return out
}
