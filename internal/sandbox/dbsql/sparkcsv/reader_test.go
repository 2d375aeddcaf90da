package sparkcsv_test

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkcsv"
)

// read returns a file's records; nil stands for NULL.
func read(t *testing.T, text string, values map[string]string) [][]any {
	t.Helper()
	out, err := readAll(t, text, values)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// readAll returns the records up to an error.
func readAll(t *testing.T, text string, values map[string]string) (out [][]any, err error) {
	t.Helper()
	o, err := sparkcsv.ParseOptions(values)
	if err != nil {
		t.Fatal(err)
	}
	r := sparkcsv.NewReader(strings.NewReader(text), o)
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		record := make([]any, len(row))
		for i, v := range row {
			if !o.IsNull(v) {
				record[i] = string(v)
			}
		}
		out = append(out, record)
	}
}

func options(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// The expectations were observed on Apache Spark 4.0.1.
func TestRecordsAreReadAsSparkReadsThem(t *testing.T) {
	t.Parallel()
	multi := options("multiLine", "true", "escape", `"`)
	for name, c := range map[string]struct {
		text    string
		options map[string]string
		want    [][]any
	}{
		"backslash is the default escape":             {`"a\"b","c\\d","e\nf"` + "\n", nil, [][]any{{`a"b`, `c\d`, `e\nf`}}},
		"a doubled quote is two without the option":   {`"a""b",c`, nil, [][]any{{`"a""b"`, "c"}}},
		"a quoted newline splits a line":              {"\"a\nb\",c\n", nil, [][]any{{"a"}, {`b"`, "c"}}},
		"a quoted newline is kept with multiLine":     {"\"a\nb\",c\n", multi, [][]any{{"a\nb", "c"}}},
		"quoted empty is NULL without a null value":   {`"",,x`, nil, [][]any{{nil, nil, "x"}}},
		"quoted empty is empty with another":          {"\"\",b\n,\"c\"\n\"\\N\",\\N\n", options("multiLine", "true", "escape", `"`, "nullValue", `\N`), [][]any{{"", "b"}, {nil, "c"}, {nil, nil}}},
		"emptyValue":                                  {"\"\",b\n", options("nullValue", `\N`, "emptyValue", "E"), [][]any{{"E", "b"}}},
		"blank lines are passed over":                 {"a,b\n\n1,2\n   \n3,4\n", nil, [][]any{{"a", "b"}, {"1", "2"}, {"3", "4"}}},
		"spaces are a record with multiLine":          {"a,b\n\n1,2\n   \n3,4\n", multi, [][]any{{"a", "b"}, {"1", "2"}, {"   "}, {"3", "4"}}},
		"a delimiter at the end":                      {"a,b,\n1,2,", nil, [][]any{{"a", "b", nil}, {"1", "2", nil}}},
		"byte order mark":                             {"\ufeffa,b\n", multi, [][]any{{"a", "b"}}},
		"text after a closing quote":                  {`"bba"b\NéN`, options("escape", `"`), [][]any{{`"bba"b\NéN`}}},
		"spaces after a closing quote":                {`"a"  ,b` + "\n", nil, [][]any{{"a", "b"}}},
		"an unclosed quote":                           {`"a,b`, nil, [][]any{{"a,b"}}},
		"CR in quotes when the first line ends in LF": {"h,i\n\"a\r\nb\",c\n\"d\r\",e\n", multi, [][]any{{"h", "i"}, {"a\r\nb", "c"}, {"d\r", "e"}}},
		// Spark detects the line end within quotes too, and then reads it as LF
		// everywhere: such a file loses data without the option lineSep.
		"CRLF in quotes before any other line end": {"\"a\r\nb\",c\n\"d\",e\n", multi, [][]any{{"a\nb", "c\n\"d\"", "e"}}},
		"CR in quotes before any other line end":   {"\"a\rb\",c\n\"d\",e\n", multi, [][]any{{"a\nb", "c\n\"d\"", "e"}}},
		"lineSep keeps them exact":                 {"\"a\r\nb\",c\n\"d\",e\n\"x\"\"\r\ny\",z\n\"q\rr\",\"\r\"\n", options("multiLine", "true", "escape", `"`, "lineSep", "\n"), [][]any{{"a\r\nb", "c"}, {"d", "e"}, {"x\"\r\ny", "z"}, {"q\rr", "\r"}}},
		"other separators and quotes":              {"a;'b;c';d\n", options("sep", ";", "quote", "'"), [][]any{{"a", "b;c", "d"}}},
		"tab":                                      {"a\tb\n", options("delimiter", `\t`), [][]any{{"a", "b"}}},
		"no quoting":                               {`"a,b"` + "\n", options("quote", ""), [][]any{{`"a`, `b"`}}},
		"trimming":                                 {" a , b \n", options("ignoreLeadingWhiteSpace", "true", "ignoreTrailingWhiteSpace", "true"), [][]any{{"a", "b"}}},
		"comments":                                 {"#x\na\n", options("comment", "#"), [][]any{{"a"}}},
		"latin 1":                                  {"caf\xe9\n", options("encoding", "ISO-8859-1"), [][]any{{"café"}}},
		"not UTF-8":                                {"caf\xe9\n", nil, [][]any{{"caf\ufffd"}}},
		"nothing":                                  {"", nil, nil},
	} {
		if got := read(t, c.text, c.options); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %q with %v\n got %q\nwant %q", name, c.text, c.options, got, c.want)
		}
	}
}

// The expectations were observed on Apache Spark 4.0.1.
// checklist 34
func TestInferredTypes(t *testing.T) {
	t.Parallel()
	for values, want := range map[string]string{
		"00123": "INT", "9223372036854775808": "DECIMAL(19,0)", "": "STRING", "1|a": "STRING", "1|1.5": "DOUBLE", "1e3": "DOUBLE",
		"2024-01-02": "DATE", "2024-01-02 03:04:05": "TIMESTAMP", "2024-01-02T03:04:05Z": "TIMESTAMP", "2024-01-02|2024-01-02 03:04:05": "TIMESTAMP",
		"2024-01-02 03:04:05|2024-01-02": "TIMESTAMP", "true|FALSE": "BOOLEAN", "true|1": "STRING", "1|true": "STRING", "NaN": "DOUBLE", "Infinity": "DOUBLE", "INF": "STRING",
		" 1": "DOUBLE", "+5": "INT", "1_000": "STRING", "1d": "DOUBLE", "0x10": "STRING", "12345678901234567890|1.5": "DOUBLE", "2147483648|1": "BIGINT",
		"99999999999999999999999999999999999999999": "DOUBLE", "1|2024-01-02": "STRING", "2024": "INT", "03:04": "TIMESTAMP", "2024-1-2": "TIMESTAMP", "2024-01-02x": "STRING",
		"1|9223372036854775808": "DECIMAL(19,0)", "-0": "INT", "1.0|9223372036854775808": "DOUBLE", "2024-13-01": "STRING", "2024-01-02 03": "TIMESTAMP",
	} {
		o, err := sparkcsv.ParseOptions(nil)
		if err != nil {
			t.Fatal(err)
		}
		infer := sparkcsv.NewInferrer(o, 1)
		for v := range strings.SplitSeq(values, "|") {
			infer.Add([]string{v})
		}
		if got := infer.Types()[0].String(); got != want {
			t.Errorf("%q was inferred as %s, want %s", values, got, want)
		}
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	o, err := sparkcsv.ParseOptions(options("header", "true"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sparkcsv.Header([]string{"a", "A", "", "B", "b", "c"}, o), []string{"a0", "A1", "_c2", "B3", "b4", "c"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestInvalidOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range []map[string]string{options("nope", "1"), options("header", "maybe"), options("encoding", "UTF-16"), options("sep", "||"), options("maxColumns", "x"), options("dateFormat", "yyyy")} {
		if _, err := sparkcsv.ParseOptions(bad); err == nil {
			t.Errorf("got no error for %v", bad)
		}
	}
}

// A file that an export writes is read back unchanged, with the options that the
// export sends.
// checklist 32 33
func FuzzRoundTrip(f *testing.F) {
	for _, s := range []string{"", "plain", "a,b", "\"", "\"\"", "\\", "\\\"", "a\nb", "\r\n", "\r", "\x00", "\ufeff", "\u2028", " edge ", "\\N", "é😀", "\"\n\",\r"} {
		f.Add(s, "x", true)
		f.Add("first", s, false)
	}
	const null = `\N:run`
	f.Fuzz(func(t *testing.T, a, b string, isNull bool) {
		if a == null || b == null {
			return // the null value itself
		}
		valid := func(s string) string { return strings.ToValidUTF8(s, "?") }
		a, b = valid(a), valid(b)
		quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
		text, want := quote(a)+","+quote(b)+"\n", []any{a, b}
		if isNull {
			text, want = quote(a)+","+null+"\n", []any{a, nil}
		}
		// Without charToEscapeQuoteEscaping, Spark drops a NUL that follows a quote.
		o := options("multiLine", "true", "quote", `"`, "escape", `"`, "charToEscapeQuoteEscaping", `"`, "nullValue", null, "lineSep", "\n")
		if got := read(t, text+text, o); !reflect.DeepEqual(got, [][]any{want, want}) {
			t.Errorf("%q came back as %q", text+text, got)
		}
	})
}

// No text makes the reader panic or loop forever.
func FuzzAnyText(f *testing.F) {
	f.Add("\"a\"\"\\\n,", true)
	f.Add("\r\r\n\"", false)
	f.Fuzz(func(t *testing.T, text string, multi bool) {
		o := options("escape", `"`)
		if multi {
			o = options("multiLine", "true")
		}
		if rows := read(t, text, o); len(rows) > len(text) {
			t.Errorf("%q gave %d records", text, len(rows))
		}
	})
}

// The parser of plain records gives what the tokenizer gives. A comment character that no
// line begins with leaves all records to the tokenizer.
func FuzzPlainRecords(f *testing.F) {
	for _, s := range []string{
		"", "a,b\n", "\"a\",\"b\"\n", "\"a\nb\",\"\"\n,\n", "\"a\"\"b\"\"\",c\n\n\n\"\"\"\"\n", "\"a\" ,b\n", "\"a\"b,c\n\"d\"\n", "a\"b,c\n", "\"a", "\"a\"",
		"a", "a,", ",", "\n", "\"\x00\"\"\",\x00\n", "caf\xe9,\"\xff\"\"\"\n", "\"a\r\nb\"\r\nc\n", " a , \"b\" \n", "N,\"N\",\"\"\"N\"\n", "\ufeffa,\ufeff\n", "1,2,3,4\n5\n",
		strings.Repeat("\"aa\"\"\",b\n", 20000), "\"" + strings.Repeat("x\"\"\n", 300000) + "\"\n1,2\n",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, export bool) {
		if strings.Contains(text, "\x01") {
			return
		}
		o := options("multiLine", "true", "escape", `"`, "nullValue", "N", "emptyValue", "E", "maxColumns", "3", "mode", "FAILFAST")
		if export {
			o = options("multiLine", "true", "escape", `"`, "charToEscapeQuoteEscaping", `"`, "nullValue", "N", "lineSep", "\n", "maxColumns", "3")
		}
		plain, plainErr := readAll(t, text, o)
		o["comment"] = "\x01"
		slow, slowErr := readAll(t, text, o)
		if !reflect.DeepEqual(plain, slow) || (plainErr == nil) != (slowErr == nil) || plainErr != nil && plainErr.Error() != slowErr.Error() {
			t.Errorf("%.200q\n got %.500q, %v\nwant %.500q, %v", text, plain, plainErr, slow, slowErr)
		}
	})
}

// A file that ends with an error is not one that ends.
func TestReadErrorsArePassedOn(t *testing.T) {
	t.Parallel()
	o, err := sparkcsv.ParseOptions(options("multiLine", "true", "escape", `"`, "lineSep", "\n"))
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	for _, text := range []string{"", "a,b\n", "a,b\n\"c", "a,b\nc"} {
		r := sparkcsv.NewReader(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), o)
		for err = nil; err == nil; {
			_, err = r.Read()
		}
		if !errors.Is(err, broken) {
			t.Errorf("%q ended with %v", text, err)
		}
	}
}
