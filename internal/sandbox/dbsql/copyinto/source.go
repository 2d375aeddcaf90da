package copyinto

import (
	"context"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
)

// maxFiles is the most names that FILES may list.
const maxFiles = 1000

// Source is the source of a COPY INTO: a path of a bucket or a volume, and which
// files below it are loaded.
type Source struct {
	store      objectstore.Store
	credential objectstore.Credential
	bucket     string
	path       string
	// location is the path as written in the statement, for errors.
	location string
	format   string
	// names are the names in FILES; empty means all files.
	names []string
	// pattern is the compiled PATTERN, or nil.
	pattern *regexp.Regexp
	// pathPattern matches the beginning of a key, if the path is a pattern.
	pathPattern *regexp.Regexp
}

// File is a file of a Source.
type File struct {
	Bucket string
	objectstore.Object
}

// URL returns the file's address. A table records the files it has loaded by URL.
func (f File) URL() string { return address(f.Bucket, f.Key) }

func address(bucket, key string) string {
	if strings.HasPrefix(bucket, "/") {
		return bucket + "/" + key
	}
	return "s3://" + bucket + "/" + key
}

// NewSource returns the source that FROM, FILES and PATTERN of a statement describe.
func NewSource(store objectstore.Store, st *syntax.CopyInto) (*Source, error) {
	s := &Source{store: store, location: st.Source.URL, format: st.Format, names: st.Files}
	locate := s.locateObjects
	if strings.HasPrefix(s.location, "/Volumes/") {
		locate = s.locateVolume
	}
	if err := locate(st.Source.Credential); err != nil {
		return nil, err
	}
	if strings.ContainsAny(s.path, globCharacters) {
		s.pathPattern = compileGlob(strings.TrimSuffix(s.path, "/"), "(?:/|$)")
	}
	if len(st.Files) > maxFiles {
		return nil, sqlerror.New(
			"COPY_INTO_TOO_MANY_FILES",
			"54000",
			"COPY INTO: FILES lists %d files, which exceeds the limit of %d.",
			len(st.Files),
			maxFiles,
		)
	}
	if st.Pattern != "" {
		if st.Files != nil {
			return nil, sqlerror.New(
				"COPY_INTO_SYNTAX_ERROR",
				"42601",
				"Failed to parse COPY INTO command: FILES and PATTERN cannot be used together.",
			)
		}
		s.pattern = compileGlob(st.Pattern, "$")
	}
	return s, nil
}

// locateObjects parses an address such as s3://bucket/path.
func (s *Source) locateObjects(credential map[string]string) error {
	scheme, rest, ok := strings.Cut(s.location, "://")
	if !ok || !slices.Contains([]string{"s3", "s3a", "s3n"}, scheme) {
		return sqlerror.Unsupported("COPY INTO from " + s.location + " (only s3:// and /Volumes/ are)")
	}
	if s.store == nil {
		return sqlerror.Unsupported("reading s3:// without an object store")
	}
	s.bucket, s.path, _ = strings.Cut(rest, "/")
	for key, value := range credential {
		switch key {
		case "AWS_ACCESS_KEY":
			s.credential.AccessKey = value
		case "AWS_SECRET_KEY":
			s.credential.SecretKey = value
		case "AWS_SESSION_TOKEN":
			s.credential.SessionToken = value
		case "NAME":
			s.credential.Name = value
		default:
			return sqlerror.New("COPY_INTO_CREDENTIALS_NOT_ALLOWED_ON", "0AKDC", "Unknown credential key %s for s3.", key)
		}
	}
	return nil
}

// locateVolume parses a path of a Unity Catalog volume. A volume takes no credential
// in the statement.
func (s *Source) locateVolume(credential map[string]string) error {
	parts := strings.SplitN(s.location, "/", 6)
	if s.store == nil || len(parts) < 5 {
		return sqlerror.New("INVALID_PARAMETER_VALUE", "22023", "The path %s is not one of a volume.", s.location)
	}
	if len(credential) > 0 {
		return sqlerror.New(
			"COPY_INTO_CREDENTIALS_NOT_ALLOWED_ON",
			"0AKDC",
			"Invalid scheme %s. COPY INTO source credentials currently only supports s3/s3n/s3a/wasbs/abfss.",
			s.location,
		)
	}
	s.bucket = strings.Join(parts[:5], "/")
	if len(parts) == 6 {
		s.path = parts[5]
	}
	return nil
}

// List returns the files of the source, ordered by key, without those that Spark
// considers hidden. It returns an error if there are none.
func (s *Source) List(ctx context.Context) ([]File, error) {
	prefix := s.path
	if i := strings.IndexAny(prefix, globCharacters); i >= 0 {
		prefix = prefix[:strings.LastIndexByte(prefix[:i], '/')+1]
	}
	objects, err := s.store.List(ctx, s.bucket, prefix, s.credential)
	if err != nil {
		return nil, Unreadable(s.location, err)
	}
	var found []File
	for _, o := range objects {
		if name, ok := s.relativeName(o.Key); ok && !strings.HasSuffix(o.Key, "/") && !hidden(name) && s.selects(name) {
			found = append(found, File{s.bucket, o})
		}
	}
	for _, name := range s.names {
		key := strings.TrimPrefix(strings.TrimSuffix(s.path, "/")+"/"+name, "/")
		if !hidden(name) && !slices.ContainsFunc(found, func(f File) bool { return f.Key == key }) {
			return nil, sqlerror.New("PATH_NOT_FOUND", "42K03", "Path does not exist: %s.", address(s.bucket, key))
		}
	}
	if len(found) == 0 {
		return nil, s.NoFiles()
	}
	slices.SortFunc(found, func(a, b File) int { return strings.Compare(a.Key, b.Key) })
	return found, nil
}

// relativeName returns a key without the source's path. If the path names one file,
// the result is the file's name.
func (s *Source) relativeName(key string) (name string, ok bool) {
	base := strings.TrimSuffix(s.path, "/")
	if s.pathPattern != nil {
		if base = s.pathPattern.FindString(key); base == "" {
			return "", false
		}
		base = strings.TrimSuffix(base, "/")
	}
	rest, ok := strings.CutPrefix(key, base)
	switch {
	case !ok || base != "" && rest != "" && rest[0] != '/':
		return "", false
	case strings.Trim(rest, "/") == "":
		return path.Base(key), true
	}
	return strings.TrimPrefix(rest, "/"), true
}

// selects reports whether FILES or PATTERN select a file.
func (s *Source) selects(name string) bool {
	switch {
	case len(s.names) > 0:
		return slices.Contains(s.names, name)
	case s.pattern != nil:
		return s.pattern.MatchString(name)
	}
	return true
}

// hidden reports whether Spark ignores a file: a part of its path begins with a dot,
// or with an underscore without being a partition (_key=value).
func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") || strings.HasPrefix(part, "_") && !strings.Contains(part, "=") {
			return true
		}
	}
	return false
}

// NoFiles is the error for a source without files, or with empty files only.
func (s *Source) NoFiles() error {
	return sqlerror.New(
		"COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED",
		"42KD9",
		"The source directory did not contain any parsable files of type %s. Please check the contents of '%s'.",
		s.format,
		s.location,
	)
}

// Open opens a file; its content is as stored, perhaps compressed.
func (s *Source) Open(ctx context.Context, f File) (io.ReadCloser, error) {
	r, err := s.store.Open(ctx, f.Bucket, f.Key, s.credential)
	if err != nil {
		return nil, Unreadable(f.URL(), err)
	}
	return r, nil
}

// Unreadable is the error for a file or path that cannot be read.
func Unreadable(location string, err error) error {
	return sqlerror.New("FAILED_READ_FILE.NO_HINT", "KD001", "Error while reading file %s. %s", location, err.Error())
}

// NotLoaded returns the files whose URLs are not in loaded.
func NotLoaded(files []File, loaded map[string]bool) []File {
	return slices.DeleteFunc(slices.Clone(files), func(f File) bool { return loaded[f.URL()] })
}
