package lql

import (
	"crypto/md5"  //nolint:gosec // a function of the language, not a protection
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"github.com/dchest/siphash"
	"github.com/jmespath/go-jmespath"
	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

var hashFunctions = map[string]*function{
	"hash":               one(of(value.Number), sip),
	"hash.sip":           one(of(value.Number), sip),
	"hash.md5":           digest(func(b []byte) []byte { s := md5.Sum(b); return s[:] }),  //nolint:gosec // see the import
	"hash.sha1":          digest(func(b []byte) []byte { s := sha1.Sum(b); return s[:] }), //nolint:gosec // see the import
	"hash.sha256":        digest(func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }),
	"hash.sha512":        digest(func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }),
	"encoding.b64encode": one(of(value.String), base64Encode),
	"encoding.b64decode": one(of(value.String), base64Decode),
	"json.jmespath":      {min: 2, max: 2, result: anything, prepare: jmesPath},
}

// sip is SipHash-2-4 with the key (0, 1), as a signed integer. Its argument is a string,
// or a list, of which it hashes the first member.
func sip(v value.Value) (value.Value, bool) {
	s := firstText(v)
	if s == "" {
		return no()
	}
	return integer(int64(siphash.Hash(0, 1, []byte(s))))
}

func digest(sum func(b []byte) []byte) *function {
	return one(of(value.String), func(v value.Value) (value.Value, bool) {
		if v.IsEmpty() {
			return no()
		}
		return text(hex.EncodeToString(sum([]byte(textOf(v)))))
	})
}

func base64Encode(v value.Value) (value.Value, bool) {
	if v.IsEmpty() {
		return no()
	}
	return text(base64.StdEncoding.EncodeToString([]byte(textOf(v))))
}

func base64Decode(v value.Value) (value.Value, bool) {
	if v.IsEmpty() {
		return no()
	}
	b, err := base64.StdEncoding.DecodeString(textOf(v))
	if err != nil {
		return no()
	}
	return validText(string(b)), true
}

// jmesPath searches a JSON text by a JMESPath, which must be a literal.
func jmesPath(args []node) (functionEval, string) {
	path, ok := literalText(args[1])
	if !ok {
		return nil, "the path must be a literal string"
	}
	if len(path) > maxPath {
		return nil, "the path is longer than " + strconv.Itoa(maxPath) + " bytes"
	}
	search, err := jmespath.Compile(path)
	if err != nil {
		return nil, err.Error()
	}
	return func(_ *Record, args []value.Value) (found value.Value, ok bool) {
		v := args[0]
		if v.Kind() != value.String && v.Kind() != value.Number || v.IsEmpty() {
			return no()
		}
		// If the library panics, there is no result.
		defer func() {
			if recover() != nil {
				found, ok = value.Value{}, false
			}
		}()
		doc := textOf(v)
		if !gjson.Valid(doc) {
			return no()
		}
		result, err := search.Search(forSearch(gjson.Parse(doc)))
		if err != nil {
			return no()
		}
		b, err := json.Marshal(result)
		if err != nil {
			return no()
		}
		return value.FromJSON(gjson.ParseBytes(b)), true
	}, ""
}

// maxPath is the length limit of the path of json.jmespath in bytes.
const maxPath = 1000

// forSearch converts JSON to the values that the library searches. A number that a float
// cannot represent exactly stays a text, so that a search finds it unchanged but cannot
// compute with it.
func forSearch(r gjson.Result) any {
	switch {
	case r.IsArray():
		list := []any{}
		r.ForEach(func(_, e gjson.Result) bool {
			list = append(list, forSearch(e))
			return true
		})
		return list
	case r.IsObject():
		object := map[string]any{}
		r.ForEach(func(k, e gjson.Result) bool {
			object[k.Str] = forSearch(e)
			return true
		})
		return object
	case r.Type == gjson.Number:
		exact, _ := value.ParseNumber(r.Raw)
		if value.Compare(exact, fromFloat(r.Num)) != 0 {
			return json.Number(r.Raw)
		}
		return r.Num
	}
	return r.Value()
}
