package copyinto_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/copyinto"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// bucket is a store whose objects are empty.
type bucket []string

func (b bucket) List(_ context.Context, _, prefix string, _ objectstore.Credential) ([]objectstore.Object, error) {
	var out []objectstore.Object
	for _, key := range b {
		if strings.HasPrefix(key, prefix) {
			out = append(out, objectstore.Object{Key: key})
		}
	}
	return out, nil
}

func (b bucket) Open(context.Context, string, string, objectstore.Credential) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("")), nil
}

func source(t *testing.T, from string) *copyinto.Source {
	t.Helper()
	parsed, err := syntax.Parse("COPY INTO t FROM " + from)
	if err != nil {
		t.Fatalf("%s: %v", from, err)
	}
	store := bucket{"run/1/b.csv", "run/1/a.csv", "run/1/", "run/1/_SUCCESS", "run/1/.crc", "run/1/_tmp/x.csv", "run/1/_day=2/c.csv", "run/10/d.csv", "run/2/ä1.csv", "run/2/ab.txt"}
	s, err := copyinto.NewSource(store, parsed.(*syntax.CopyInto))
	if err != nil {
		t.Fatalf("%s: %v", from, err)
	}
	return s
}

func TestSourceListsTheFilesThatSparkReads(t *testing.T) {
	t.Parallel()
	for from, want := range map[string][]string{
		"'s3://b/run/1' FILEFORMAT = CSV":                             {"s3://b/run/1/_day=2/c.csv", "s3://b/run/1/a.csv", "s3://b/run/1/b.csv"},
		"'s3a://b/run/1/' FILEFORMAT = CSV":                           {"s3://b/run/1/_day=2/c.csv", "s3://b/run/1/a.csv", "s3://b/run/1/b.csv"},
		"'s3://b/run/1/a.csv' FILEFORMAT = CSV":                       {"s3://b/run/1/a.csv"},
		"'s3://b/run/1*' FILEFORMAT = CSV":                            {"s3://b/run/1/_day=2/c.csv", "s3://b/run/1/a.csv", "s3://b/run/1/b.csv", "s3://b/run/10/d.csv"},
		"'s3://b/run/{2,10}/' FILEFORMAT = CSV":                       {"s3://b/run/10/d.csv", "s3://b/run/2/ab.txt", "s3://b/run/2/ä1.csv"},
		"'s3://b/run/1' FILEFORMAT = CSV FILES = ('b.csv')":           {"s3://b/run/1/b.csv"},
		"'s3://b/run/1' FILEFORMAT = CSV FILES = ('b.csv', '_x.csv')": {"s3://b/run/1/b.csv"},
		"'s3://b/run/2' FILEFORMAT = CSV PATTERN = '[^b]?.{csv,txt}'": {"s3://b/run/2/ab.txt", "s3://b/run/2/ä1.csv"},
		"'s3://b/run/2' FILEFORMAT = CSV PATTERN = 'ä*'":              {"s3://b/run/2/ä1.csv"},
		"'/Volumes/c/s/v/run/2' FILEFORMAT = CSV":                     {"/Volumes/c/s/v/run/2/ab.txt", "/Volumes/c/s/v/run/2/ä1.csv"},
	} {
		files, err := source(t, from).List(t.Context())
		if err != nil {
			t.Errorf("%s: %v", from, err)
			continue
		}
		var got []string
		for _, f := range files {
			got = append(got, f.URL())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", from, got, want)
		}
	}
}

func TestSourceWithoutTheNamedFilesIsAnError(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{
		"'s3://b/run/3' FILEFORMAT = CSV":                       "COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED",
		"'s3://b/run/1' FILEFORMAT = CSV FILES = ('c.csv')":     "PATH_NOT_FOUND",
		"'s3://b/run/1' FILEFORMAT = CSV PATTERN = '[unclosed'": "COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED",
	} {
		_, err := source(t, from).List(t.Context())
		if e := (*warehouse.Error)(nil); !errors.As(err, &e) || e.Class != want {
			t.Errorf("%s: got %v, want %s", from, err, want)
		}
	}
}
