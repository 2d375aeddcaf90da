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
	"dbx_limit":       {params(text, whole, truth), text, enforceLength},
	"dbx_json_path": {params(text, text), text, func(a arguments) (any, error) {
		if s, ok := sparkvalue.JSONPath(a.stringAt(0), a.stringAt(1)); ok {
			return s, nil
		}
		return nil, nil
	}},
}

func initcap(a arguments) (any, error) {
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
	}, a.stringAt(0)), nil
}

// substring counts characters from 1, or from the end if the position is negative.
func substring(a arguments) (any, error) {
	s, pos, n := a.stringAt(0), int(a.int32At(1)), int(a.int32At(2))
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

// replacement converts Java's $1 to RE2's \1.
func replacement(a arguments) (any, error) {
	s := a.stringAt(0)
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

// unbase64 decodes as MIME does: it ignores characters outside of the alphabet.
func unbase64(a arguments) (any, error) {
	s := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '+' || r == '/' {
			return r
		}
		return -1
	}, a.stringAt(0))
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil, raise(
			"CONVERSION_INVALID_INPUT",
			"22018",
			"The value '%s' (\"STRING\") cannot be converted to \"BINARY\" because it is malformed. Correct the value as per the syntax, or change its format. Use `try_to_binary` to tolerate malformed input and return NULL instead.",
			a[0],
		)
	}
	return b, nil
}

func unhex(a arguments) (any, error) {
	s := a.stringAt(0)
	if len(s)%2 == 1 {
		s = "0" + s
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil, nil //nolint:nilerr // invalid input yields NULL
	}
	return b, nil
}

func sha2(a arguments) (any, error) {
	v := a.bytesAt(0)
	switch a.int32At(1) {
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

// enforceLength enforces the length of VARCHAR(n) and CHAR(n).
func enforceLength(a arguments) (any, error) {
	s, n, pad := a.stringAt(0), int(a.int32At(1)), a.boolAt(2)
	length := utf8.RuneCountInString(s)
	if length > n {
		cut := strings.TrimRight(s, " ")
		if utf8.RuneCountInString(cut) > n {
			return nil, raise("EXCEED_LIMIT_LENGTH", "54006", "Exceeds char/varchar type length limitation: %d.", n)
		}
		r := []rune(s)
		return string(r[:n]), nil
	}
	if pad {
		s += strings.Repeat(" ", n-length)
	}
	return s, nil
}
