package duck_test

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
)

const exact = `, map('timestampFormat', "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", 'timestampNTZFormat', "yyyy-MM-dd'T'HH:mm:ss.SSSSSS", 'ignoreNullFields', 'false')`

// The expectations were observed on Apache Spark 4.0.1.
// checklist 15 16 17 18 19
func TestToJSON(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	for _, c := range []struct{ value, want string }{
		{"named_struct('a', 1.0D, 'b', 1e10D, 'c', 1e-5D, 'd', 123456.789D, 'e', 9999999D, 'f', 12345678.9D, 'g', 0.001D, 'h', double('NaN'), 'i', double('-Infinity'), 'j', 0.1F, 'k', 1e10F, 'l', -0.0D)",
			`{"a":1.0,"b":1.0E10,"c":1.0E-5,"d":123456.789,"e":9999999.0,"f":1.23456789E7,"g":0.001,"h":"NaN","i":"-Infinity","j":0.1,"k":1.0E10,"l":-0.0}`},
		{"named_struct('a', X'00ff', 'b', DATE '2024-01-02', 'c', TIMESTAMP '1969-12-31 23:59:59.5', 'd', TIMESTAMP_NTZ '2024-01-02 03:04:05.000001', 'e', 1.10BD, 'f', array(1.5BD, NULL), 'g', map('x', NULL), 'h', map(1, 2), 'i', array(named_struct('q', NULL, 'r', 1)))",
			`{"a":"AP8=","b":"2024-01-02","c":"1969-12-31T23:59:59.500Z","d":"2024-01-02T03:04:05.000","e":1.10,"f":[1.5,null],"g":{"x":null},"h":{"1":2},"i":[{"r":1}]}`},
		{"named_struct('i', array(named_struct('q', NULL, 'r', 1))), map('ignoreNullFields','false')", `{"i":[{"q":null,"r":1}]}`},
		{`named_struct('a', 'x\t\n\r\f\b\u0001\u001f\u007f"\\/é😀\u2028<>&')`, `{"a":"x\t\n\rf\b\u0001\u001F` + "\x7f" + `\"\\/é😀` + "\u2028" + `<>&"}`},
		{"map('a b', 1)", `{"a b":1}`},
		{"array(1, 2)", `[1,2]`},
		{"named_struct('m', map(DATE '2024-01-01', 1), 'n', map(TIMESTAMP '2024-01-01 00:00:00', 2), 'o', map(1.5D, 2), 'p', map(true, 1))",
			`{"m":{"19723":1},"n":{"1704067200000000":2},"o":{"1.5":2},"p":{"true":1}}`},
		{"named_struct('a\"b', 1, 'é', 2, 'x', named_struct('y', NULL))", `{"a\"b":1,"é":2,"x":{}}`},
		{"named_struct('e', array(), 'm', map(), 'n', cast(null as struct<a:int>))", `{"e":[],"m":{}}`},
		{"struct(*)" + exact, `{"s":null,"f":null,"d":null,"ts":null,"a":null,"m":null,"st":null,"big":9223372036854775807,"dec":null,"bin":null}`},
	} {
		b.want("SELECT to_json("+c.value+") FROM (SELECT CAST(NULL AS STRING) s, CAST(NULL AS FLOAT) f, CAST(NULL AS DOUBLE) d, CAST(NULL AS TIMESTAMP) ts, CAST(NULL AS ARRAY<DECIMAL(5,2)>) a, CAST(NULL AS MAP<STRING, DOUBLE>) m, CAST(NULL AS STRUCT<x: DOUBLE>) st, 9223372036854775807 big, CAST(NULL AS DECIMAL(38,10)) dec, CAST(NULL AS BINARY) bin)", c.want)
	}
	b.exec("CREATE TABLE t (d DECIMAL(38,10), ts TIMESTAMP, ntz TIMESTAMP_NTZ, a ARRAY<DOUBLE>, e ARRAY<DATE>, n ARRAY<STRUCT<x: DECIMAL(5,2), y: ARRAY<TIMESTAMP>>>)",
		"INSERT INTO t VALUES (1234567890123456789012345678.0123456789, TIMESTAMP '2024-01-02 03:04:05.123456', TIMESTAMP_NTZ '2024-01-02 03:04:05', array(1e7D, NULL, double('NaN')), array(), array(named_struct('x', 3.30, 'y', array(TIMESTAMP '2024-01-02 00:00:00')), NULL))")
	b.want("SELECT to_json(struct(*)"+exact+") FROM t",
		`{"d":1234567890123456789012345678.0123456789,"ts":"2024-01-02T03:04:05.123456Z","ntz":"2024-01-02T03:04:05.000000","a":[1.0E7,null,"NaN"],"e":[],"n":[{"x":3.30,"y":["2024-01-02T00:00:00.000000Z"]},null]}`)
	b.want("SELECT sha2(to_json(struct(ts)), 256) FROM t", "0df52fe11944eb12283cba337d7a39d4c3c35e980c84bc857aabffb5b1d71db9")
	b.fails("SELECT to_json(1)", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
	b.fails("SELECT to_json(struct(1), map('nope', 'x'))", "UNSUPPORTED_FEATURE.SANDBOX")
}
