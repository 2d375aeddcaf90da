package lytics

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// pageSize is the maximum number of profiles in a page of Lytics.
const pageSize = 100

// maxScans is the maximum number of attempts at a scan.
const maxScans = 6

// maxFieldList is the length limit of the list of fields in a URL, in bytes. For a longer
// list, all fields are requested by naming none.
const maxFieldList = 4000

// scan is the state of a scan of an audience.
type scan struct {
	p       *Platform
	summary string
	segment string
	query   url.Values
	columns []jobs.Field
	// identifiers distinguish profiles without an id.
	identifiers []string
	// wanted are the keys of a profile that its row is made of.
	wanted map[string]bool
	spool  *spool
	// splitsTried is set once the splits were read in parallel: what follows reads the
	// audience in one sequence of pages.
	splitsTried bool
	// backOff holds back all requests while Lytics refuses some of them for their number.
	backOff retry.Shared
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
	s.query = url.Values{}
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
		if errors.Is(err, errStartRefused) || errors.Is(err, errSplitsRefused) {
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

// attempt reads all profiles, in parallel if Lytics honours splits. total is the smallest
// number of profiles that Lytics counted meanwhile, or -1.
func (s *scan) attempt(ctx context.Context) (total int64, err error) {
	whole := s.sequence("", pageLimits)
	first, err := whole.read(ctx)
	if err != nil {
		return 0, err
	}
	if !s.splitsTried && first.next != "" && whole.total >= leastSplit {
		s.splitsTried = true
		counted, done, err := s.readSplits(ctx, whole.total)
		if done || err != nil {
			return counted, err
		}
	}
	err = whole.run(ctx, ctx, first)
	return whole.total, err
}

// endless is the error of a scan that would not end.
func (s *scan) endless(why string) error {
	return &jobs.Error{Code: jobs.CodeFailed, Summary: s.summary, Detail: why, Next: "Run it again; if it stays, ask Lytics"}
}
