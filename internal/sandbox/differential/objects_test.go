package differential_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
)

// awkwardCells are values that CSV often corrupts.
var awkwardCells = []string{
	`plain`, `a "quoted" word`, `"`, `""`, `a,b`, "tab\tbed", "two\nlines", "carriage\rreturn", "both\r\nends", "end\n", "\nstart",
	`back\slash`, `\`, `\\`, `\"`, `"\`, `\N`, `\N-ru`, ` edges `, `00123`, `=1+1`, `-5`, `NULL`, `null`, `true`, "\ufeffbom", "line\u2028sep", "emoji 😀",
	"ünïcödé 中文 עברית", `'single'`, `;--`, `{"a": "b\"c"}`, "nul\x00byte", "\x1bescape", strings.Repeat("long ", 4000), ``, ` `, `#comment`,
}

// files are the objects in the bucket of both engines.
func files() map[string]string {
	var cells strings.Builder
	for i, c := range awkwardCells {
		fmt.Fprintf(&cells, "%03d,\"%s\"\n", i, strings.ReplaceAll(c, `"`, `""`))
	}
	cells.WriteString("998,\\N-run\n999,\"\\N-run\"\n")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte("x\ny\n")) // a buffer takes everything
	_ = z.Close()
	return map[string]string{
		"hostile/part-0.csv": cells.String(),
		"simple/1.csv":       "1,a\n2, b \n3,\n4,\"\"\n5,NA\n",
		"simple/_SUCCESS":    "no", "simple/.crc": "no", "simple/_temporary/0.csv": "no,no\n",
		"typed/1.csv": "1,1.5,3.305,true,2024-02-29 23:59:59.123456,2024-03-10 02:30:00.000001,2024-02-29,x\n2,NaN,-0.005,FALSE,2024-02-29T23:59:59Z,2024-02-29T23:59:59,2024-2-9,\n" +
			"3,Infinity,1e2,1,2024-02-29,2024-02-29,2024,\" \"\n4,-1e300,,no,2024-02-29 23:59:59+02:00,,,\"\"\"q\"\"\"\n",
		"badcast/1.csv":    "12,1.5,2024-01-01\nx,INF,2024-13-01\n",
		"header/1.csv":     "i,d,s\n7,0.5,seven\n",
		"infer/1.csv":      "id,zip,none,big,huge,f,mixed,day,at,ntz,flag,name,money\n1,00123,,9223372036854775808,18446744073709551616,1.5,1,2024-02-29,2024-02-29T12:00:00.000Z,2024-02-29 12:00:00,true,a,1.10\n2,04567,,1,1,2,x,2024-03-01,2024-02-29T12:00:00.123+02:00,2024-02-29 12:00:00.123456,false,\"b,c\",22.25\n3,,,,,,,,,,,,\n",
		"infer2/1.csv":     "1,a,2024-01-01\n2,b,\n",
		"ragged/1.csv":     "1,2,3\n1,2\n1,2,3,4\n\n5,\"open\n6,7,8\n",
		"onlyhidden/_x":    "1,2\n",
		"empty/1.csv":      "",
		"semicolons/1.csv": "# a comment\na;'x;y'\nb;'it\\'s'\n#c;d\n",
		"latin/1.csv":      "caf\xe9\n",
		"packed/1.csv.gz":  packed.String(),
		"many/part-1.csv":  "1\n", "many/part-2.csv": "2\n", "many/part-3.csv": "3\n", "many/other.csv": "4\n", "many/deep/part-5.csv": "5\n",
	}
}

var errNoBucket = errors.New("NoSuchBucket: the bucket does not exist")

// objects is the bucket "b", in memory, for both engines.
type objects map[string]string

func (o objects) List(_ context.Context, bucket, prefix string, _ objectstore.Credential) ([]objectstore.Object, error) {
	if bucket != "b" {
		return nil, errNoBucket
	}
	var out []objectstore.Object
	for k, v := range o {
		if strings.HasPrefix(k, prefix) {
			out = append(out, objectstore.Object{Key: k, Size: int64(len(v)), ETag: "e"})
		}
	}
	return out, nil
}

func (o objects) Open(_ context.Context, _, key string, _ objectstore.Credential) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(o[key])), nil
}
