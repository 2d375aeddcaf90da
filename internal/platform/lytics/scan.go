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

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
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
	// limit is the number of profiles that a page is asked for.
	limit   int
	columns []jobs.Field
	// identifiers distinguish profiles without an id.
	identifiers []string
	// wanted are the keys of a profile that its row is made of.
	wanted map[string]bool
	spool  *spool
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
	s.wanted = map[string]bool{"_id": true}
	for _, f := range s.columns {
		s.wanted[f.ID] = true
	}
	for _, id := range s.identifiers {
		s.wanted[id] = true
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
	s.query, s.limit = url.Values{}, pageSize
	if len(names) == 0 {
		s.columns = defined
		return nil
	}
	for i, name := range names {
		d := slices.Index(all, name)
		if d < 0 {
			return jobs.Invalid("fields", fmt.Sprintf("There is no field %q", name),
				"The fields are "+shorten(strings.Join(all, ", "))+".", "Correct the list, or create the field")
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
		switch {
		case err != nil || n >= total:
			return err
		case n == 0 && short == 0:
			return &jobs.Error{
				Code: jobs.CodeFailed, Summary: s.summary, Detail: fmt.Sprintf("Lytics counts %d profiles and gives none of them", total),
				Next: "Run it again; if it stays, ask Lytics",
			}
		case n == short:
			return nil
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
	var bounds egress.Pages
	for n := 1; ; n++ {
		answer, err := s.page(ctx, start)
		if err != nil {
			return 0, err
		}
		counted, next, err := s.check(answer)
		if err != nil {
			return 0, err
		}
		if counted >= 0 && (total < 0 || counted < total) {
			total = counted
		}
		var page []profileRow
		gjson.GetBytes(answer, "data").ForEach(func(_, v gjson.Result) bool {
			var row profileRow
			if row, err = s.row(v); err == nil && len(page) == pageSize {
				err = s.endless(fmt.Sprintf("Lytics gives more than the %d profiles that a page may have", pageSize))
			}
			page = append(page, row)
			return err == nil
		})
		if err != nil {
			return 0, err
		}
		if err := s.spool.add(ctx, page); err != nil {
			return 0, err
		}
		read += int64(len(page))
		expected := total
		if total < 0 && next != "" && n&(n-1) == 0 {
			// Without a total, the profiles are counted after 1, 2, 4, 8, ... pages.
			if expected, err = s.spool.count(ctx); err != nil {
				return 0, err
			}
		}
		switch err := bounds.Next(next, len(page), 0); {
		case next == "":
			return total, nil
		case next == start, expected >= 0 && read > 3*expected+10*pageSize:
			return 0, s.endless(fmt.Sprintf("Lytics gives the same profiles again and again: %d so far, of %d", read, expected))
		case err != nil:
			return 0, s.endless(err.Error())
		}
		start = next
	}
}

// check checks a page, and returns its total, or -1, and the token of the next page. A page
// without its list is no page without profiles: the export would have too few.
func (s *scan) check(answer []byte) (total int64, next string, err error) {
	malformed := func(format string, args ...any) error {
		return s.p.get(s.summary, "").malformed(fmt.Errorf(format, args...))
	}
	total = -1
	if t := gjson.GetBytes(answer, "total"); t.Type != gjson.Null {
		var ok bool
		if total, ok = count(t); !ok {
			return 0, "", malformed("its total is no number of profiles")
		}
	}
	data := gjson.GetBytes(answer, "data")
	if empty := data.Type == gjson.Null && data.Exists() && total == 0; !data.IsArray() && !empty {
		return 0, "", malformed("it has no list of profiles")
	}
	for _, key := range []string{"_next", "next"} {
		switch v := gjson.GetBytes(answer, key); v.Type {
		case gjson.Null:
		case gjson.String, gjson.Number: // older descriptions have a number
			next = cmp.Or(next, v.String())
		default:
			return 0, "", malformed("its %s is no token", key)
		}
	}
	n := 0
	data.ForEach(func(_, v gjson.Result) bool {
		if n++; !v.IsObject() {
			err = malformed("entry %d is no profile", n)
		}
		return err == nil
	})
	return total, next, err
}

// endless is the error of a scan that would not end.
func (s *scan) endless(why string) error {
	return &jobs.Error{Code: jobs.CodeFailed, Summary: s.summary, Detail: why, Next: "Run it again; if it stays, ask Lytics"}
}

// page reads a page. If its profiles are too large together, it asks for fewer.
func (s *scan) page(ctx context.Context, start string) ([]byte, error) {
	for {
		answer, err := s.readPage(ctx, start)
		exceeded, ok := errors.AsType[*egress.AnswerError](err)
		if !ok || exceeded.Late || s.limit == 1 {
			return answer, err
		}
		s.limit /= 2
	}
}

func (s *scan) readPage(ctx context.Context, start string) ([]byte, error) {
	c := s.p.get(s.summary, "/api/segment/"+url.PathEscape(s.segment)+"/scan")
	for k, v := range s.query {
		c.query[k] = v
	}
	c.query.Set("limit", strconv.Itoa(s.limit))
	c.private, c.patience, c.timeout, c.limits = true, runPatience, pageTimeout, pageLimits
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
