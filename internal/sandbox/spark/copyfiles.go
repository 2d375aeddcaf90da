package spark

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
)

// maxFiles is how many names FILES takes.
const maxFiles = 1000

// source is a file to copy.
type source struct {
	bucket, key, url string
	credential       Credential
}

// files finds the files that the statement names and the table has not loaded.
func (c *copying) files(ctx context.Context) ([]source, error) {
	st := c.statement
	if len(st.Files) > maxFiles {
		return nil, sqlerror.New("COPY_INTO_TOO_MANY_FILES", "54000", "COPY INTO: FILES lists %d files, which exceeds the limit of %d.", len(st.Files), maxFiles)
	}
	if len(st.Files) > 0 && st.Pattern != "" {
		return nil, sqlerror.New("COPY_INTO_SYNTAX_ERROR", "42601", "Failed to parse COPY INTO command: FILES and PATTERN cannot be used together.")
	}
	base, bucket, prefix, err := located(st)
	if err != nil {
		return nil, err
	}
	credential, err := credentialOf(st)
	if err != nil {
		return nil, err
	}
	found, err := c.engine.opts.Objects.List(ctx, bucket, listed(prefix), credential)
	if err != nil {
		return nil, unreadable(st.Source.URL, err)
	}
	var all []source
	for _, o := range found {
		if below, ok := within(prefix, o.Key); ok && !hidden(below) && c.wanted(below) {
			all = append(all, source{bucket: bucket, key: o.Key, url: base + o.Key, credential: credential})
		}
	}
	for _, name := range st.Files {
		if !slices.ContainsFunc(all, func(f source) bool { return f.key == join(prefix, name) }) && !hidden(name) {
			return nil, sqlerror.New("PATH_NOT_FOUND", "42K03", "Path does not exist: %s.", base+join(prefix, name))
		}
	}
	if len(all) == 0 {
		return nil, c.noFiles(st.Source.URL)
	}
	if isTrue(option(st.Copy, "force")) {
		return all, nil
	}
	done, err := c.earlier()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(f source) bool { return done[f.url] }), nil
}

// located takes an address apart: what stands before keys, the bucket, and the
// prefix. A volume is a bucket whose name begins with a slash.
func located(st *syntax.CopyInto) (base, bucket, prefix string, err error) {
	address := st.Source.URL
	if parts := strings.SplitN(address, "/", 6); strings.HasPrefix(address, "/Volumes/") && len(parts) >= 5 {
		if len(st.Source.Credential) > 0 {
			return "", "", "", sqlerror.New("COPY_INTO_CREDENTIALS_NOT_ALLOWED_ON", "0AKDC", "Invalid scheme %s. COPY INTO source credentials currently only supports s3/s3n/s3a/wasbs/abfss.", address)
		}
		bucket = strings.Join(parts[:5], "/")
		return bucket + "/", bucket, strings.Join(parts[5:], ""), nil
	}
	scheme, rest, _ := strings.Cut(address, "://")
	if !slices.Contains([]string{"s3", "s3a", "s3n"}, scheme) {
		return "", "", "", sqlerror.Unsupported("COPY INTO from " + address + " (only s3:// and /Volumes/ are)")
	}
	bucket, prefix, _ = strings.Cut(rest, "/")
	return scheme + "://" + bucket + "/", bucket, prefix, nil
}

func unreadable(url string, err error) error {
	return sqlerror.New("FAILED_READ_FILE.NO_HINT", "KD001", "Error while reading file %s. %s", url, err.Error())
}

func credentialOf(st *syntax.CopyInto) (c Credential, err error) {
	for key, value := range st.Source.Credential {
		switch key {
		case "AWS_ACCESS_KEY":
			c.AccessKey = value
		case "AWS_SECRET_KEY":
			c.SecretKey = value
		case "AWS_SESSION_TOKEN":
			c.SessionToken = value
		case "NAME":
			c.Name = value
		default:
			return c, sqlerror.New("COPY_INTO_CREDENTIALS_NOT_ALLOWED_ON", "0AKDC", "Unknown credential key %s for s3.", key)
		}
	}
	return c, nil
}

func (c *copying) noFiles(url string) error {
	if url == "" {
		url = c.statement.Source.URL
	}
	return sqlerror.New("COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED", "42KD9", "The source directory did not contain any parsable files of type %s. Please check the contents of '%s'.", c.statement.Format, url)
}

func join(prefix, name string) string {
	if prefix == "" || strings.HasSuffix(prefix, "/") {
		return prefix + name
	}
	return prefix + "/" + name
}

// glob are the characters that make a path a pattern.
const glob = "*?[{"

// listed is the part of a prefix that objects can be listed by.
func listed(prefix string) string {
	if i := strings.IndexAny(prefix, glob); i >= 0 {
		return prefix[:i]
	}
	return prefix
}

// within says whether a key is the path itself or below it, and what of it is
// below.
func within(prefix, key string) (below string, ok bool) {
	if strings.ContainsAny(prefix, glob) {
		expression := "^" + globExpression(strings.TrimSuffix(prefix, "/")) + "(?:/|$)"
		re, err := regexp.Compile(expression)
		if err != nil {
			return "", false
		}
		m := re.FindString(key)
		if m == "" {
			return "", false
		}
		if below = key[len(m):]; below == "" {
			below = path.Base(key)
		}
		return below, true
	}
	if key == prefix {
		return path.Base(key), true
	}
	return strings.CutPrefix(key, join(prefix, ""))
}

// globExpression writes Hadoop's patterns as a regular expression.
func globExpression(pattern string) string {
	var b strings.Builder
	braces := 0
	for _, r := range pattern {
		switch {
		case r == '*':
			b.WriteString("[^/]*")
		case r == '?':
			b.WriteString("[^/]")
		case r == '{':
			braces++
			b.WriteString("(?:")
		case r == '}' && braces > 0:
			braces--
			b.WriteByte(')')
		case r == ',' && braces > 0:
			b.WriteByte('|')
		case r == '[' || r == ']' || r == '-' || r == '^':
			b.WriteRune(r)
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return b.String()
}

// hidden files are those that Spark ignores.
func hidden(below string) bool {
	for part := range strings.SplitSeq(below, "/") {
		if strings.HasPrefix(part, "_") && !strings.Contains(part, "=") || strings.HasPrefix(part, ".") {
			return true
		}
	}
	return below == "" || strings.HasSuffix(below, "/")
}

// wanted applies FILES and PATTERN.
func (c *copying) wanted(below string) bool {
	st := c.statement
	switch {
	case len(st.Files) > 0:
		return slices.Contains(st.Files, below)
	case st.Pattern != "":
		ok, err := regexp.MatchString("^"+globExpression(st.Pattern)+"$", below)
		return ok && err == nil
	}
	return true
}

var extension = regexp.MustCompile(`(?:\.[A-Za-z0-9]{1,10}){0,2}$`)

// fetch copies the files into a folder, under names that Hadoop takes as they
// are; the ends tell how a file is compressed.
func (c *copying) fetch(ctx context.Context, dir string, files []source) error {
	for i, f := range files {
		if err := c.fetchOne(ctx, localName(dir, i, f), f); err != nil {
			return err
		}
	}
	return nil
}

func localName(dir string, i int, f source) string {
	return filepath.Join(dir, fmt.Sprintf("%06d%s", i, extension.FindString(path.Base(f.key))))
}

func (c *copying) fetchOne(ctx context.Context, name string, f source) (err error) {
	in, err := c.engine.opts.Objects.Open(ctx, f.bucket, f.key, f.credential)
	if err != nil {
		return unreadable(f.url, err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err = io.Copy(out, in); err != nil {
		return unreadable(f.url, err)
	}
	return nil
}

// sameHeaders refuses what only Databricks can: it merges CSV files whose
// headers differ, where Spark takes the first one's for all.
func (c *copying) sameHeaders(dir string) error {
	st := c.statement
	if st.Format != "CSV" || !isTrue(option(st.Options, "header")) || !isTrue(option(st.Options, "mergeSchema")) {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var first []byte
	for i, e := range entries {
		header, err := firstLine(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		if i == 0 {
			first = header
		}
		if !bytes.Equal(first, header) {
			return sqlerror.Unsupported("COPY INTO with mergeSchema of CSV files whose headers differ")
		}
	}
	return nil
}

func firstLine(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	line, err := bufio.NewReader(f).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}
