package routines

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

var texts = map[string]*routine{
	"dbx_substring": {params(text, whole, whole), text, substring},
	"dbx_unhex":     {params(text), blob, unhex},
	"dbx_sha2":      {params(blob, whole), text, sha2},
	"dbx_limit":     {params(text, whole, truth), text, enforceLength},
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
