package duck

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
)

// maxFiles is how many names FILES takes.
const maxFiles = 1000

// place is where COPY INTO reads.
type place struct {
	store   ObjectStore
	cred    Credential
	bucket  string
	path    string
	url     string
	format  string
	names   []string
	pattern *regexp.Regexp
}

// file is one file of a place.
type file struct {
	bucket string
	Object
}

func (f file) url() string { return address(f.bucket, f.Key) }

// address of a file; a bucket that begins with a slash is a volume.
func address(bucket, key string) string {
	if strings.HasPrefix(bucket, "/") {
		return bucket + "/" + key
	}
	return "s3://" + bucket + "/" + key
}

// place reads the source of COPY INTO.
func (e *Engine) place(st *syntax.CopyInto) (*place, error) {
	p := &place{store: e.opts.Objects, url: st.Source.URL, format: st.Format, names: st.Files}
	if strings.HasPrefix(st.Source.URL, "/Volumes/") {
		return p, p.inVolume(st)
	}
	scheme, rest, ok := strings.Cut(st.Source.URL, "://")
	if !ok || scheme != "s3" && scheme != "s3a" && scheme != "s3n" {
		return nil, sqlerror.Unsupported("reading files from " + st.Source.URL + " (only s3:// is)")
	}
	if p.store == nil {
		return nil, sqlerror.Unsupported("reading s3:// without an object store")
	}
	p.bucket, p.path, _ = strings.Cut(rest, "/")
	for k, v := range st.Source.Credential {
		switch k {
		case "AWS_ACCESS_KEY":
			p.cred.AccessKey = v
		case "AWS_SECRET_KEY":
			p.cred.SecretKey = v
		case "AWS_SESSION_TOKEN":
			p.cred.SessionToken = v
		case "NAME":
			p.cred.Name = v
		default:
			return nil, sqlerror.New("COPY_INTO_CREDENTIALS_NOT_ALLOWED_ON", "0AKDC", "Unknown credential key %s for s3.", k)
		}
	}
	return p, p.selection(st)
}

// inVolume is a place in a Unity Catalog volume, which is read with the rights
// of the session.
func (p *place) inVolume(st *syntax.CopyInto) error {
	parts := strings.SplitN(st.Source.URL, "/", 6)
	if p.store == nil || len(parts) < 5 {
		return sqlerror.New("INVALID_PARAMETER_VALUE", "22023", "The path %s is not one of a volume.", st.Source.URL)
	}
	if len(st.Source.Credential) > 0 {
		return sqlerror.New("COPY_INTO_CREDENTIALS_NOT_ALLOWED_ON", "0AKDC", "Invalid scheme %s. COPY INTO source credentials currently only supports s3/s3n/s3a/wasbs/abfss.", st.Source.URL)
	}
	p.bucket = strings.Join(parts[:5], "/")
	if len(parts) == 6 {
		p.path = parts[5]
	}
	return p.selection(st)
}

// selection reads FILES and PATTERN.
func (p *place) selection(st *syntax.CopyInto) error {
	if len(st.Files) > maxFiles {
		return sqlerror.New("COPY_INTO_TOO_MANY_FILES", "54000", "COPY INTO: FILES lists %d files, which exceeds the limit of %d.", len(st.Files), maxFiles)
	}
	if st.Pattern != "" {
		if st.Files != nil {
			return sqlerror.New("COPY_INTO_SYNTAX_ERROR", "42601", "Failed to parse COPY INTO command: FILES and PATTERN cannot be used together.")
		}
		p.pattern = glob(st.Pattern)
	}
	return nil
}

// glob turns a Hadoop pattern into a regular expression.
func glob(pattern string) *regexp.Regexp {
	var b strings.Builder
	depth := 0
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			b.WriteString("[^/]*")
		case '?':
			b.WriteString("[^/]")
		case '{':
			depth++
			b.WriteString("(?:")
		case '}':
			if depth > 0 {
				depth--
				b.WriteByte(')')
			} else {
				b.WriteString(`\}`)
			}
		case ',':
			if depth > 0 {
				b.WriteByte('|')
			} else {
				b.WriteByte(',')
			}
		case '[':
			if end := strings.IndexByte(pattern[i:], ']'); end > 1 {
				set := strings.NewReplacer(`\`, `\\`, `[`, `\[`).Replace(pattern[i+1 : i+end])
				b.WriteString("[" + set + "]")
				i += end
			} else {
				b.WriteString(`\[`)
			}
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	b.WriteString(strings.Repeat(")", depth))
	re, err := regexp.Compile("^(?:" + b.String() + ")$")
	if err != nil {
		return regexp.MustCompile("^" + regexp.QuoteMeta(pattern) + "$")
	}
	return re
}

// list finds the files: those below the path, but for hidden ones.
func (p *place) list(ctx context.Context) ([]file, error) {
	prefix, match := p.path, (*regexp.Regexp)(nil)
	if i := strings.IndexAny(p.path, "*?[{"); i >= 0 {
		prefix = p.path[:strings.LastIndexByte(p.path[:i], '/')+1]
		match = regexp.MustCompile(strings.TrimSuffix(glob(strings.TrimSuffix(p.path, "/")).String(), "$") + "(/|$)")
	}
	objects, err := p.store.List(ctx, p.bucket, prefix, p.cred)
	if err != nil {
		return nil, p.unreadable(p.url, err)
	}
	base := strings.TrimSuffix(p.path, "/")
	var out []file
	for _, o := range objects {
		rest, below := strings.CutPrefix(o.Key, base)
		switch {
		case match != nil:
			if !match.MatchString(o.Key) {
				continue
			}
			rest = o.Key[len(prefix):]
		case !below || base != "" && rest != "" && rest[0] != '/':
			continue
		}
		rest = strings.TrimPrefix(rest, "/")
		if strings.HasSuffix(o.Key, "/") || hidden(rest) {
			continue
		}
		name := rest
		if name == "" {
			name = o.Key[strings.LastIndexByte(o.Key, '/')+1:]
		}
		if p.names != nil && !slices.Contains(p.names, name) {
			continue
		}
		if p.pattern != nil && !p.pattern.MatchString(name) {
			continue
		}
		out = append(out, file{p.bucket, o})
	}
	if p.names != nil {
		if err := p.allFound(out, base); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, p.empty()
	}
	slices.SortFunc(out, func(a, b file) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// empty is the error of a place without files, or with empty ones only.
func (p *place) empty() error {
	return sqlerror.New("COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED", "42KD9", "The source directory did not contain any parsable files of type %s. Please check the contents of '%s'.", p.format, p.url)
}

func (p *place) allFound(found []file, base string) error {
	for _, n := range p.names {
		key := strings.TrimPrefix(base+"/"+n, "/")
		if !slices.ContainsFunc(found, func(f file) bool { return f.Key == key }) {
			return sqlerror.New("PATH_NOT_FOUND", "42K03", "Path does not exist: %s.", address(p.bucket, key))
		}
	}
	return nil
}

// hidden says whether a part of a path begins with _ or a dot.
func hidden(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, ".") || strings.HasPrefix(part, "_") && !strings.Contains(part, "=") {
			return true
		}
	}
	return false
}

func (p *place) unreadable(url string, err error) error {
	return sqlerror.New("FAILED_READ_FILE.NO_HINT", "KD001", "Error while reading file %s. %s", url, err.Error())
}

// open reads a file, unpacking it where its name ends in .gz.
func (p *place) open(ctx context.Context, f file) (io.ReadCloser, error) {
	r, err := p.store.Open(ctx, f.bucket, f.Key, p.cred)
	if err != nil {
		return nil, p.unreadable(f.url(), err)
	}
	switch {
	case strings.HasSuffix(f.Key, ".gz"):
		z, err := gzip.NewReader(r)
		if err != nil {
			_ = r.Close()
			return nil, p.unreadable(f.url(), err)
		}
		return unpacked{z, r}, nil
	case slices.ContainsFunc([]string{".bz2", ".zst", ".lz4", ".snappy", ".deflate", ".xz"}, func(s string) bool { return strings.HasSuffix(f.Key, s) }):
		_ = r.Close()
		return nil, sqlerror.Unsupported(fmt.Sprintf("the compression of %s", f.url()))
	}
	return r, nil
}

type unpacked struct {
	io.Reader
	file io.Closer
}

func (u unpacked) Close() error { return u.file.Close() }
