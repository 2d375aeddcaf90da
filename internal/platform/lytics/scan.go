package lytics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// pageSize is the maximum number of profiles in a page of Lytics.
const pageSize = 100

// maxScans is the maximum number of attempts at a scan.
const maxScans = 6

// maxFieldList is the length limit of the list of fields in a URL, in bytes. For a longer
// list, all fields are requested by naming none.
const maxFieldList = 4000

// pageTimeout limits one attempt to read a page.
const pageTimeout = 2 * time.Minute

// scan is the state of a scan of an audience.
type scan struct {
	p       *Platform
	summary string
	segment string
	query   url.Values
	columns []jobs.Field
	// identifiers distinguish profiles without an id.
	identifiers []string
	spool       *spool
}

// Scan reads the profiles of an audience. It returns the columns, and the rows in a stable
// order. Empty fields means all fields, ordered by id. All rows are read before the first
// one is yielded; the package comment has the guarantees.
func (p *Platform) Scan(ctx context.Context, audience string, fields []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error) {
	s := &scan{p: p, summary: "Cannot scan audience " + audience}
	r, err := p.segment(ctx, s.summary, audience, nil)
	if err != nil {
		return nil, nil, err
	}
	if string(r["invalid"]) == "true" {
		return nil, nil, jobs.Invalid("filter", fmt.Sprintf("The filter of audience %q cannot be evaluated", r.text("name")),
			"Lytics says: "+shorten(r.text("invalid_reason")), "Correct the filter")
	}
	s.segment = r.text("id")
	defined, err := p.Fields(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := s.choose(defined, fields); err != nil {
		return nil, nil, err
	}
	return s.columns, func(yield func([]jobs.Value, error) bool) {
		if err := s.run(ctx, func(row []jobs.Value) bool { return yield(row, nil) }); err != nil {
			yield(nil, p.storeError(ctx, s.summary, err))
		}
	}, nil
}

// choose sets the columns, and the requested fields: the columns and the identifiers.
func (s *scan) choose(defined []jobs.Field, names []string) error {
	all := make([]string, len(defined))
	for i, f := range defined {
		all[i] = f.ID
		if f.IsIdentifier {
			s.identifiers = append(s.identifiers, f.ID)
		}
	}
	s.query = url.Values{"limit": {strconv.Itoa(pageSize)}}
	if len(names) == 0 {
		s.columns = defined
		return nil
	}
	for i, name := range names {
		d := slices.Index(all, name)
		if d < 0 {
			return jobs.Invalid("fields", fmt.Sprintf("There is no field %q", name),
				"the fields are "+shorten(strings.Join(all, ", ")), "Correct the list, or create the field")
		}
		if slices.Contains(names[:i], name) {
			return jobs.Invalid("fields", fmt.Sprintf("Field %q is named twice", name), "a table has each column once", "Name it once")
		}
		s.columns = append(s.columns, defined[d])
	}
	asked := slices.Clone(names)
	for _, id := range s.identifiers {
		if !slices.Contains(asked, id) {
			asked = append(asked, id)
		}
	}
	if list := strings.Join(asked, ","); len(list) <= maxFieldList {
		s.query.Set("fields", list)
	}
	return nil
}

func (s *scan) run(ctx context.Context, yield func([]jobs.Value) bool) (err error) {
	if s.spool, err = openSpool(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.spool.close()) }()
	if err := s.fill(ctx); err != nil {
		return err
	}
	return s.spool.each(ctx, yield)
}

// errStartRefused ends an attempt, because Lytics no longer accepts the scan's token.
var errStartRefused = errors.New("lytics does not go on with the scan")

// fill scans until an attempt is complete. If an attempt has fewer profiles than Lytics's
// count, fill makes another one. If two consecutive attempts have the same number of
// profiles, Lytics's count is wrong, and the attempt is complete.
func (s *scan) fill(ctx context.Context) error {
	short := int64(-1)
	for range maxScans {
		if err := s.spool.clear(ctx); err != nil {
			return err
		}
		total, err := s.attempt(ctx)
		if errors.Is(err, errStartRefused) {
			continue
		}
		if err != nil {
			return err
		}
		n, err := s.spool.count(ctx)
		if err != nil || n >= total || n == short {
			return err
		}
		short = n
	}
	e := &jobs.Error{
		Code:    jobs.CodeFailed,
		Summary: s.summary,
		Detail:  fmt.Sprintf("%d scans did not come to their end: Lytics refused to go on with each", maxScans),
	}
	e.Next = "Run it again when Lytics is less busy, or split the audience"
	if short >= 0 {
		e.Detail = fmt.Sprintf("%d scans gave fewer profiles than Lytics counts, and each another number of them", maxScans)
		e.Next = "Run it again when the audience changes less"
	}
	return e
}

// attempt reads all pages. total is the smallest number of profiles in the total of any
// page.
func (s *scan) attempt(ctx context.Context) (total int64, err error) {
	total = -1
	start, read := "", int64(0)
	for {
		answer, err := s.page(ctx, start)
		if err != nil {
			return 0, err
		}
		if t := gjson.GetBytes(answer, "total"); t.Exists() && (total < 0 || t.Int() < total) {
			total = t.Int()
		}
		var page []profileRow
		for _, v := range gjson.GetBytes(answer, "data").Array() {
			row, err := s.row(v)
			if err != nil {
				return 0, err
			}
			page = append(page, row)
		}
		if err := s.spool.add(ctx, page); err != nil {
			return 0, err
		}
		read += int64(len(page))
		next := cmp.Or(gjson.GetBytes(answer, "_next").String(), gjson.GetBytes(answer, "next").String())
		switch {
		case next == "":
			return total, nil
		case next == start || total >= 0 && read > 3*total+10*pageSize:
			return 0, &jobs.Error{
				Code:    jobs.CodeFailed,
				Summary: s.summary,
				Detail:  fmt.Sprintf("Lytics gives the same profiles again and again: %d so far, of %d", read, total),
				Next:    "Run it again; if it stays, ask Lytics",
			}
		}
		start = next
	}
}

func (s *scan) page(ctx context.Context, start string) ([]byte, error) {
	c := s.p.get(s.summary, "/api/segment/"+url.PathEscape(s.segment)+"/scan")
	for k, v := range s.query {
		c.query[k] = v
	}
	c.private, c.patience, c.timeout = true, runPatience, pageTimeout
	if start == "" {
		return s.p.do(ctx, c)
	}
	c.query.Set("start", start)
	answer, err := s.p.do(ctx, c)
	if hasStatus(err, http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusConflict, http.StatusUnprocessableEntity) {
		return nil, errStartRefused
	}
	return answer, err
}
