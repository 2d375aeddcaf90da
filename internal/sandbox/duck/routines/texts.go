package routines

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkvalue"
)

var texts = map[string]*routine{
	"dbx_initcap":     {params(text), text, initcap},
	"dbx_substring":   {params(text, whole, whole), text, substring},
	"dbx_replacement": {params(text), text, replacement},
	"dbx_unbase64":    {params(text), blob, unbase64},
	"dbx_unhex":       {params(text), blob, unhex},
	"dbx_sha2":        {params(blob, whole), text, sha2},
	"dbx_limit":       {params(text, whole, truth), text, limit},
	"dbx_json_path": {params(text, text), text, func(a values) (any, error) {
		if s, ok := sparkvalue.JSONPath(a.text(0), a.text(1)); ok {
			return s, nil
		}
		return nil, nil
	}},
}

func initcap(a values) (any, error) {
	start := true
	return strings.Map(func(r rune) rune {
		if r == ' ' {
			start = true
			return r
		}
		if start {
			start = false
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	}, a.text(0)), nil
}

// substring counts characters from 1, or from the end when negative.
func substring(a values) (any, error) {
	s, pos, n := a.text(0), int(a.whole(1)), int(a.whole(2))
	length := utf8.RuneCountInString(s)
	start := pos - 1
	if pos == 0 {
		start = 0
	}
	if pos < 0 {
		start = length + pos
	}
	end := start + n
	start, end = max(start, 0), min(end, length)
	if n <= 0 || start >= end {
		return "", nil
	}
	if len(s) == length {
		return s[start:end], nil
	}
	r := []rune(s)
	return string(r[start:end]), nil
}

// replacement turns Java's $1 into RE2's \1.
func replacement(a values) (any, error) {
	s := a.text(0)
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			if s[i] == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(s[i])
		case s[i] == '$' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			b.WriteByte('\\')
		case s[i] == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), nil
}

// unbase64 is MIME's: what is no base64 character is passed over.
func unbase64(a values) (any, error) {
	s := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '+' || r == '/' {
			return r
		}
		return -1
	}, a.text(0))
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil, fail(
			"CONVERSION_INVALID_INPUT",
			"22018",
			"The value '%s' (\"STRING\") cannot be converted to \"BINARY\" because it is malformed. Correct the value as per the syntax, or change its format. Use `try_to_binary` to tolerate malformed input and return NULL instead.",
			a[0],
		)
	}
	return b, nil
}

func unhex(a values) (any, error) {
	s := a.text(0)
	if len(s)%2 == 1 {
		s = "0" + s
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil, nil //nolint:nilerr // what is not hexadecimal is NULL
	}
	return b, nil
}

func sha2(a values) (any, error) {
	v := a.blob(0)
	switch a.whole(1) {
	case 0, 256:
		h := sha256.Sum256(v)
		return hex.EncodeToString(h[:]), nil
	case 224:
		h := sha256.Sum224(v)
		return hex.EncodeToString(h[:]), nil
	case 384:
		h := sha512.Sum384(v)
		return hex.EncodeToString(h[:]), nil
	case 512:
		h := sha512.Sum512(v)
		return hex.EncodeToString(h[:]), nil
	}
	return nil, nil
}

// limit holds VARCHAR(n) and CHAR(n) to their length.
func limit(a values) (any, error) {
	s, n, pad := a.text(0), int(a.whole(1)), a.truth(2)
	length := utf8.RuneCountInString(s)
	if length > n {
		cut := strings.TrimRight(s, " ")
		if utf8.RuneCountInString(cut) > n {
			return nil, fail("EXCEED_LIMIT_LENGTH", "54006", "Exceeds char/varchar type length limitation: %d.", n)
		}
		r := []rune(s)
		return string(r[:n]), nil
	}
	if pad {
		s += strings.Repeat(" ", n-length)
	}
	return s, nil
}
