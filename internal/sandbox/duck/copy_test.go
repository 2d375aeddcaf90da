package duck_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
)

// bucket is an object store in memory that records the credentials it receives.
type bucket struct {
	mu      sync.Mutex
	objects map[string]string
	seen    []objectstore.Credential
}

func (b *bucket) List(_ context.Context, name, prefix string, c objectstore.Credential) ([]objectstore.Object, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = append(b.seen, c)
	if name != "b" {
		return nil, fmt.Errorf("NoSuchBucket: %s", name)
	}
	var out []objectstore.Object
	for k, v := range b.objects {
		if strings.HasPrefix(k, prefix) {
			out = append(out, objectstore.Object{Key: k, Size: int64(len(v)), ETag: fmt.Sprint(len(v))})
		}
	}
	return out, nil
}

func (b *bucket) Open(_ context.Context, _, key string, _ objectstore.Credential) (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return io.NopCloser(strings.NewReader(b.objects[key])), nil
}

func (b *bucket) put(key, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.objects[key] = text
}

func withBucket(t *testing.T, objects map[string]string) (*fixture, *bucket) {
	t.Helper()
	store := &bucket{objects: objects}
	return open(t, duck.Options{Objects: store}), store
}

const exportOptions = ` FILEFORMAT = CSV FORMAT_OPTIONS('multiLine'='true','lineSep'='\n','quote'='"','escape'='"','charToEscapeQuoteEscaping'='"','nullValue'='\\N:run','encoding'='UTF-8','mode'='FAILFAST')`

// checklist 29 30 32 33
func TestCopyIntoOfAnExport(t *testing.T) {
	t.Parallel()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = fmt.Fprint(w, "zipped,5\n")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b, store := withBucket(t, map[string]string{
		"p/run/1.csv":     "\"a\r\nb\",1\n\"\",\\N:run\n\\N:run,3\n\"q\"\"uote, \\n 😀\x00\u2028\",-9223372036854775807\n",
		"p/run/2.csv.gz":  z.String(),
		"p/run/_SUCCESS":  "x",
		"p/run/.hidden":   "x",
		"p/run2/other.cs": "not,9\n",
	})
	b.exec("CREATE OR REPLACE TABLE l (`user id` STRING, age BIGINT) TBLPROPERTIES('delta.columnMapping.mode'='name')")
	copyInto := "COPY INTO l FROM (SELECT _c0::STRING AS `user id`, _c1::BIGINT AS age FROM 's3://b/p/run/' WITH (CREDENTIAL (AWS_ACCESS_KEY='ak', AWS_SECRET_KEY='sk', AWS_SESSION_TOKEN='st')))" + exportOptions + " COPY_OPTIONS('force'='false')"
	b.want(copyInto, "5 | 5 | 0")
	if got := store.seen[0]; got != (objectstore.Credential{AccessKey: "ak", SecretKey: "sk", SessionToken: "st"}) {
		t.Errorf("the store was given %+v", got)
	}
	b.want("SELECT to_json(struct(*), map('ignoreNullFields','false')) FROM l ORDER BY age, `user id`",
		`{"user id":"","age":null}`,
		`{"user id":"q\"uote, \\n 😀\u0000`+"\u2028"+`","age":-9223372036854775807}`,
		`{"user id":"a\r\nb","age":1}`,
		`{"user id":null,"age":3}`,
		`{"user id":"zipped","age":5}`)
}

// Texts of all lengths, also around the twelve bytes that DuckDB keeps in place, and NULLs
// arrive in their rows, over several chunks, files and records that are not plain.
func TestCopyIntoOfManyRows(t *testing.T) {
	t.Parallel()
	const rows = 9000
	files := [2]strings.Builder{}
	var want []string
	for i := range rows {
		f := &files[i*len(files)/rows]
		var text string
		switch i % 5 {
		case 0: // NULL
			_, _ = fmt.Fprintf(f, "%d,\\N:run\n", i)
			want = append(want, fmt.Sprintf("%d | NULL", i))
			continue
		case 1:
			text = strings.Repeat("x", i%40)
		case 2:
			text = strings.Repeat("é\n", i%9) + fmt.Sprint(i)
		case 3:
			text = strings.Repeat("\"", i%7) + "\x00,"
		case 4:
			text = strings.Repeat("long ", i%300)
		}
		_, _ = fmt.Fprintf(f, "%d,\"%s\"%s\n", i, strings.ReplaceAll(text, `"`, `""`), strings.Repeat(" ", i%2))
		want = append(want, fmt.Sprintf("%d | %s", i, text))
	}
	b, _ := withBucket(t, map[string]string{"d/1.csv": files[0].String(), "d/2.csv": files[1].String()})
	b.exec("CREATE TABLE l (id BIGINT, s STRING)")
	b.want("COPY INTO l FROM (SELECT _c0::BIGINT AS id, _c1 AS s FROM 's3://b/d/')"+exportOptions, fmt.Sprintf("%[1]d | %[1]d | 0", rows))
	b.want("SELECT id, s FROM l ORDER BY id", want...)
}

// A file whose compression is cut off or damaged is an error.
func TestCopyIntoOfADamagedFile(t *testing.T) {
	t.Parallel()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	for i := range 100_000 {
		_, _ = fmt.Fprintf(w, "%d,\"%x\"\n", i, i*i*7919)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole := z.String()
	b, store := withBucket(t, map[string]string{"d/1.csv.gz": whole})
	b.exec("CREATE TABLE l (id BIGINT, s STRING)")
	load := "COPY INTO l FROM (SELECT _c0::BIGINT AS id, _c1 AS s FROM 's3://b/d/')" + exportOptions + " COPY_OPTIONS ('force' = 'true')"
	b.want(load, "100000 | 100000 | 0")
	for _, damaged := range []string{whole[:len(whole)-1], whole[:len(whole)/2], whole[:len(whole)-8] + "\x00\x00\x00\x00" + whole[len(whole)-4:], whole[:5], ""} {
		store.put("d/1.csv.gz", damaged)
		b.fails(load, "FAILED_READ_FILE.NO_HINT")
	}
	b.want("SELECT count(*) FROM l", "100000")
}

// A file is loaded only once, unless forced; a new file is loaded.
func TestCopyIntoRemembersFiles(t *testing.T) {
	t.Parallel()
	b, store := withBucket(t, map[string]string{"d/1.csv": "x\n"})
	b.exec("CREATE TABLE l (s STRING)")
	load := "COPY INTO l FROM (SELECT _c0 AS s FROM 's3://b/d') FILEFORMAT = CSV"
	b.want(load, "1 | 1 | 0")
	b.want(load, "0 | 0 | 0")
	store.put("d/1.csv", "changed\n")
	b.want(load, "0 | 0 | 0")
	store.put("d/2.csv", "y\n")
	b.want(load, "1 | 1 | 0")
	b.want(load+" COPY_OPTIONS ('force' = 'true')", "2 | 2 | 0")
	b.want("SELECT count(*) FROM l", "4")
	b.want("SELECT count(*) FROM l VERSION AS OF 1", "1")
	b.want("COPY INTO l FROM (SELECT _c0 AS s FROM 's3://b/d') FILEFORMAT = CSV FILES = ('1.csv') COPY_OPTIONS ('force' = 'true')", "1 | 1 | 0")
	b.want("COPY INTO l FROM (SELECT _c0 AS s FROM 's3://b/d') FILEFORMAT = CSV PATTERN = '[2-9]*.{csv,txt}' COPY_OPTIONS ('force' = 'true')", "1 | 1 | 0")
	names := make([]string, 1001)
	for i := range names {
		names[i] = fmt.Sprintf("'%d'", i)
	}
	b.fails("COPY INTO l FROM 's3://b/d' FILEFORMAT = CSV FILES = ("+strings.Join(names, ",")+")", "COPY_INTO_TOO_MANY_FILES")
	b.fails("COPY INTO l FROM 's3://b/d' FILEFORMAT = CSV FILES = ('nope.csv')", "PATH_NOT_FOUND")
	b.fails("COPY INTO l FROM 's3://b/empty/' FILEFORMAT = CSV", "COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED")
	b.fails("COPY INTO l FROM 's3://nope/d' FILEFORMAT = CSV", "FAILED_READ_FILE.NO_HINT")
	b.fails(load+" FORMAT_OPTIONS ('nope' = '1')", "CF_UNKNOWN_OPTION_KEYS_ERROR")
	b.fails(load+" COPY_OPTIONS ('nope' = 'true')", "CF_UNKNOWN_OPTION_KEYS_ERROR")
	b.fails("COPY INTO l FROM 's3://b/d' FILEFORMAT = XLSX", "COPY_INTO_SOURCE_FILE_FORMAT_NOT_SUPPORTED")
}

// As the original Lytics product does: inference fills a table without columns.
// checklist 34
func TestCopyIntoWithoutASchema(t *testing.T) {
	t.Parallel()
	b, _ := withBucket(t, map[string]string{"d/1.csv": "zip,big,empty,flag,day,at,ratio\n00123,9223372036854775808,,true,2024-01-02,2024-01-02 03:04:05,1.5\n00007,1,,false,2024-01-03,2024-01-02,2\n"})
	b.exec("CREATE TABLE l")
	b.fails("COPY INTO l FROM 's3://b/d' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true')", "COPY_INTO_SCHEMA_MISMATCH_WITH_TARGET_TABLE")
	b.want("COPY INTO l FROM 's3://b/d' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true', 'inferSchema' = 'true', 'mergeSchema' = 'true') COPY_OPTIONS ('mergeSchema' = 'true')", "2 | 2 | 0")
	b.want("DESCRIBE l", "zip | int | NULL", "big | decimal(19,0) | NULL", "empty | string | NULL", "flag | boolean | NULL", "day | date | NULL", "at | timestamp | NULL", "ratio | double | NULL")
	b.want("SELECT * FROM l ORDER BY zip", "7 | 1 | NULL | false | 2024-01-03 | 2024-01-02T00:00:00Z | 2", "123 | 9223372036854775808 | NULL | true | 2024-01-02 | 2024-01-02T03:04:05Z | 1.5")
}

func TestCopyIntoModes(t *testing.T) {
	t.Parallel()
	b, _ := withBucket(t, map[string]string{"d/1.csv": "a,b\n1,2\n3\n4,5,6\n"})
	b.exec("CREATE TABLE l (a STRING, b STRING)")
	load := func(mode string) string {
		return "COPY INTO l FROM 's3://b/d' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true', 'mode' = '" + mode + "') COPY_OPTIONS ('force' = 'true')"
	}
	b.want(load("PERMISSIVE"), "3 | 3 | 0")
	b.want("SELECT * FROM l ORDER BY a", "1 | 2", "3 | NULL", "4 | 5")
	b.want(load("DROPMALFORMED"), "1 | 1 | 0")
	b.fails(load("FAILFAST"), "FAILED_READ_FILE.NO_HINT")
	b.fails("COPY INTO l FROM (SELECT _c0 AS a, _c1 AS b FROM 's3://b/d') FILEFORMAT = CSV FORMAT_OPTIONS ('mode' = 'FAILFAST') COPY_OPTIONS ('force' = 'true')", "FAILED_READ_FILE.NO_HINT")
	// As in Spark, the number of values is not checked if only some columns are read.
	b.want("COPY INTO l FROM (SELECT _c0 AS a FROM 's3://b/d') FILEFORMAT = CSV FORMAT_OPTIONS ('mode' = 'FAILFAST') COPY_OPTIONS ('force' = 'true')", "4 | 4 | 0")
	b.exec("CREATE TABLE n (a BIGINT, b BIGINT)")
	b.fails("COPY INTO n FROM 's3://b/d' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true')", "DELTA_FAILED_TO_MERGE_FIELDS")
	b.fails("COPY INTO n FROM (SELECT _c0::BIGINT a, _c1::BIGINT b FROM 's3://b/d') FILEFORMAT = CSV", "CAST_INVALID_INPUT")
	b.want("SELECT count(*) FROM n", "0")
	b.exec("SET ansi_mode = false")
	b.want("COPY INTO n FROM (SELECT _c0::BIGINT a, _c1::BIGINT b FROM 's3://b/d') FILEFORMAT = CSV", "4 | 4 | 0")
	b.want("SELECT count(*), count(a) FROM n", "4 | 3")
}

func TestCopyIntoParquetAndLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	csv := filepath.Join(dir, "in.csv")
	if err := os.WriteFile(csv, []byte("id,user name,note\n1,Zoë,\"two\nlines\"\n2,\"O\"\"B\",\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, store := withBucket(t, map[string]string{})
	n, err := b.engine.LoadFile(t.Context(), "new.`my schema`.people", csv)
	if err != nil || n != 2 {
		t.Fatalf("loading gave %d, %v", n, err)
	}
	b.want("SELECT `user name`, note FROM new.`my schema`.people ORDER BY id", "Zoë | two\nlines", `O"B | NULL`)
	parquet, err := os.ReadFile("testdata/types.parquet")
	if err != nil {
		t.Fatal(err)
	}
	store.put("q/types.parquet", string(parquet))
	if _, err := b.engine.LoadFile(t.Context(), "new.s.types", "testdata/types.parquet"); err != nil {
		t.Fatal(err)
	}
	b.want("DESCRIBE new.s.types", "i | int | NULL", "ts | timestamp | NULL", "ntz | timestamp_ntz | NULL", "d | decimal(10,2) | NULL", "l | array<string> | NULL", "m | map<string,bigint> | NULL", "st | struct<a:int,b c:string> | NULL", "bin | binary | NULL")
	row := `7 | 2024-01-02T03:04:05.123456Z | 2024-01-02T03:04:05.123456Z | 1.5 | ["a","b"] | [{"key":"k","value":1}] | {"a":1,"b c":"x"} | AP8=`
	b.want("SELECT * FROM new.s.types", row)
	b.exec("CREATE TABLE p TBLPROPERTIES ('delta.columnMapping.mode' = 'name') AS SELECT * FROM new.s.types WHERE FALSE")
	b.want("COPY INTO p FROM 's3://b/q/' FILEFORMAT = PARQUET", "1 | 1 | 0")
	b.want("SELECT * FROM p", row)
	if _, err := b.engine.LoadFile(t.Context(), "new.s.x", filepath.Join(dir, "missing.csv")); err == nil {
		t.Error("got no error for a missing file")
	}
}
