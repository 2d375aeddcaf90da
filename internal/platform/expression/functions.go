package expression

import (
	"crypto/md5" //nolint:gosec // a function users ask for by name, not a protection
	"crypto/sha256"
	"encoding/hex"
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/dchest/siphash"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// maxText bounds what functions that put texts together give; more is NULL.
const maxText = 1 << 20

var (
	text      = []value.Kind{value.String, value.Number, value.Bool, value.Time}
	unknown   = staticType{}
	functions = map[string]function{
		"email":       {min: 1, max: 1, accepts: text, result: of(value.String), eval: one(email)},
		"emaildomain": {min: 1, max: 1, accepts: text, result: of(value.String), eval: one(emailDomain)},
		"tolower":     {min: 1, max: 1, accepts: text, result: of(value.String), eval: ofText(strings.ToLower)},
		"toupper":     {min: 1, max: 1, accepts: text, result: of(value.String), eval: ofText(strings.ToUpper)},
		"trim":        {min: 1, max: 1, accepts: text, result: of(value.String), eval: ofText(strings.TrimSpace)},
		"todate":      {min: 1, max: 1, accepts: text, result: of(value.Time), eval: one(toDate)},
		"toint":       {min: 1, max: 1, accepts: text, result: of(value.Number), eval: one(toInt)},
		"tonumber":    {min: 1, max: 1, accepts: text, result: of(value.Number), eval: one(toNumber)},
		"tobool":      {min: 1, max: 1, accepts: text, result: of(value.Bool), eval: one(value.ToBool)},
		"tostring":    {min: 1, max: 1, result: of(value.String), eval: one(value.ToString)},
		"hash.sha256": {min: 1, max: 1, accepts: text, result: of(value.String), eval: ofText(sha256Hex)},
		"hash.md5":    {min: 1, max: 1, accepts: text, result: of(value.String), eval: ofText(md5Hex)},
		"hash.sip":    {min: 1, max: 1, accepts: text, result: of(value.Number), eval: one(sip)},
		"split":       {min: 2, max: 2, accepts: text, result: of(value.List), eval: split},
		"replace":     {min: 2, max: 3, accepts: text, result: of(value.String), eval: replace},
		"contains":    {min: 2, max: 2, result: of(value.Bool), eval: contains},
		"hasprefix":   {min: 2, max: 2, accepts: text, result: of(value.Bool), eval: hasPrefix},
		"hassuffix":   {min: 2, max: 2, accepts: text, result: of(value.Bool), eval: hasSuffix},
		"len":         {min: 1, max: 1, result: of(value.Number), eval: one(length)},
		"count":       {min: 1, max: 1, result: of(value.Number), eval: one(func(value.Value) value.Value { return value.OfInt(1) })},
		"valuect":     {min: 1, max: 1, result: of(value.Map), eval: one(valueCount)},
		"oneof":       {min: 1, result: unknown, lenient: true, eval: oneOf},
		"exists":      {min: 1, max: 1, result: of(value.Bool), lenient: true, eval: one(exists)},
		"join":        {min: 2, result: of(value.String), lenient: true, eval: join},
		"set":         {min: 1, result: of(value.List), lenient: true, eval: set},
		"map":         {min: 2, result: of(value.Map), lenient: true, pairs: true, eval: mapOf},
	}
)

func one(f func(value.Value) value.Value) func([]value.Value) value.Value {
	return func(args []value.Value) value.Value { return f(args[0]) }
}

func ofText(f func(string) string) func([]value.Value) value.Value {
	return func(args []value.Value) value.Value { return value.OfString(f(args[0].Text())) }
}

// email gives an address in lower case: of "Ann <ANN@Example.com>" as well. What
// is no address is NULL.
func email(v value.Value) value.Value {
	s := strings.TrimSpace(v.Text())
	if !plainAddress(s) {
		a, err := mail.ParseAddress(s)
		if err != nil {
			return value.Value{}
		}
		s = a.Address
	}
	return value.OfString(strings.ToLower(s))
}

// plainAddress is the fast path for what needs no parsing.
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

func emailDomain(v value.Value) value.Value {
	a := email(v)
	if a.IsNull() {
		return a
	}
	return value.OfString(a.Str()[strings.LastIndexByte(a.Str(), '@')+1:])
}

func toDate(v value.Value) value.Value {
	if t := value.ToTime(v); !t.IsNull() {
		return t
	}
	if n := value.ToNumber(v); !n.IsNull() {
		return value.FromEpoch(n)
	}
	return value.Value{}
}

// toNumber reads booleans as 1 and 0, and dates as seconds since 1970.
func toNumber(v value.Value) value.Value {
	switch v.Kind() {
	case value.Bool:
		if v.Bool() {
			return value.OfInt(1)
		}
		return value.OfInt(0)
	case value.Time:
		return value.Compute('/', value.OfInt(v.Micros()), value.OfInt(1_000_000))
	default:
		return value.ToNumber(v)
	}
}

// toInt cuts a fraction off.
func toInt(v value.Value) value.Value { return value.Truncate(toNumber(v)) }

func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// sip is SipHash-2-4 with the key (0, 1), as a signed integer.
func sip(v value.Value) value.Value {
	return value.OfInt(int64(siphash.Hash(0, 1, []byte(v.Text()))))
}

func split(args []value.Value) value.Value {
	s, sep := args[0].Text(), args[1].Text()
	if s == "" || sep == "" {
		return value.Value{}
	}
	var list []value.Value
	for part := range strings.SplitSeq(s, sep) {
		list = append(list, value.OfString(part))
	}
	return value.OfList(list)
}

func replace(args []value.Value) value.Value {
	s, from, to := args[0].Text(), args[1].Text(), ""
	if len(args) == 3 {
		to = args[2].Text()
	}
	if from == "" {
		return value.OfString(s)
	}
	if len(s)+strings.Count(s, from)*(len(to)-len(from)) > maxText {
		return value.Value{}
	}
	return value.OfString(strings.ReplaceAll(s, from, to))
}

// contains looks for an element of a list, a key of a map, or a part of a text.
func contains(args []value.Value) value.Value {
	in, what := args[0], args[1]
	switch in.Kind() {
	case value.List:
		for _, e := range in.List() {
			if c, ok := compare(e, what); ok && c == 0 {
				return value.OfBool(true)
			}
		}
		return value.OfBool(false)
	case value.Map:
		for _, e := range in.Entries() {
			if e.Key == what.Text() {
				return value.OfBool(true)
			}
		}
		return value.OfBool(false)
	default:
		return value.OfBool(strings.Contains(in.Text(), what.Text()))
	}
}

func hasPrefix(args []value.Value) value.Value {
	return value.OfBool(strings.HasPrefix(args[0].Text(), args[1].Text()))
}

func hasSuffix(args []value.Value) value.Value {
	return value.OfBool(strings.HasSuffix(args[0].Text(), args[1].Text()))
}

// length counts elements, keys, or characters.
func length(v value.Value) value.Value {
	switch v.Kind() {
	case value.List:
		return value.OfInt(int64(len(v.List())))
	case value.Map:
		return value.OfInt(int64(len(v.Entries())))
	default:
		return value.OfInt(int64(utf8.RuneCountInString(v.Text())))
	}
}

// valueCount maps each value to how often it is there.
func valueCount(v value.Value) value.Value {
	counts := map[string]int64{}
	for _, e := range elements(v) {
		counts[e.Text()]++
	}
	if len(counts) == 0 {
		return value.Value{}
	}
	entries := make([]value.Entry, 0, len(counts))
	for k, n := range counts {
		entries = append(entries, value.Entry{Key: k, Value: value.OfInt(n)})
	}
	return value.OfMap(entries)
}

// elements are a list's, or a map's keys, or the value alone; never NULL.
func elements(v value.Value) []value.Value {
	var out []value.Value
	switch v.Kind() {
	case value.Null:
	case value.List:
		for _, e := range v.List() {
			if !e.IsNull() {
				out = append(out, e)
			}
		}
	case value.Map:
		for _, e := range v.Entries() {
			out = append(out, value.OfString(e.Key))
		}
	default:
		out = append(out, v)
	}
	return out
}

// oneOf is the first argument that is not NULL, "" or an empty collection.
func oneOf(args []value.Value) value.Value {
	for _, a := range args {
		if !a.IsEmpty() {
			return a
		}
	}
	return value.Value{}
}

func exists(v value.Value) value.Value { return value.OfBool(!v.IsEmpty()) }

// join puts the texts of all but the last argument together, with the last
// between them; NULL and empty ones are passed over.
func join(args []value.Value) value.Value {
	var parts []string
	size := 0
	sep := args[len(args)-1].Text()
	for _, a := range args[:len(args)-1] {
		for _, e := range elements(a) {
			if s := e.Text(); s != "" {
				parts = append(parts, s)
				size += len(s) + len(sep)
			}
		}
	}
	if len(parts) == 0 || size > maxText {
		return value.Value{}
	}
	return value.OfString(strings.Join(parts, sep))
}

// set collects distinct values, those of lists too.
func set(args []value.Value) value.Value {
	var list []value.Value
	for _, a := range args {
		list = append(list, elements(a)...)
	}
	if len(list) == 0 {
		return value.Value{}
	}
	return value.OfList(distinct(list))
}

// mapOf makes a map of keys and values; a pair with a NULL is left out.
func mapOf(args []value.Value) value.Value {
	var entries []value.Entry
	for i := 0; i+1 < len(args); i += 2 {
		if k, v := args[i].Text(), args[i+1]; k != "" && !v.IsNull() {
			entries = append(entries, value.Entry{Key: k, Value: v})
		}
	}
	if len(entries) == 0 {
		return value.Value{}
	}
	return value.OfMap(entries)
}
