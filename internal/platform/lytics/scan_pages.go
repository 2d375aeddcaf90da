package lytics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
)

var hashSeed = maphash.MakeSeed()

// pageTimeout limits one attempt to read a page.
const pageTimeout = 2 * time.Minute

// page is a page that was read and checked.
type page struct {
	// data is the list of profiles.
	data gjson.Result
	// profiles is their number.
	profiles int
	// next is the token of the next page, or empty.
	next string
}

// sequence reads an audience, or some splits of it, one page after the other: only a page
// tells the token of the next one.
type sequence struct {
	s *scan
	// splits are the numbers of the splits; empty means the whole audience.
	splits string
	// limits are those of a page, and limit is the number of profiles that it is asked for.
	limits egress.Limits
	limit  int
	// start is the token of the page that is read next.
	start string
	// total is the smallest total of any page, or -1.
	total int64
	// pages and profiles were read so far.
	pages    int
	profiles int64
	bounds   egress.Pages
	// hash is that of the profiles of the last page.
	hash uint64
}

func (s *scan) sequence(splits string, limits egress.Limits) *sequence {
	return &sequence{s: s, splits: splits, limits: limits, limit: pageSize, total: -1}
}

// run stores the profiles of the first page and of all that follow. The next page is on its
// way while one is stored. The end of fetching interrupts no write: the spool is used again
// after it, and SQLite without a journal cannot undo a part of a write.
func (q *sequence) run(ctx, fetching context.Context, p page) error {
	fetching, cancel := context.WithCancel(fetching)
	defer cancel()
	for {
		if err := q.bound(ctx, p); err != nil {
			return err
		}
		if p.next == "" {
			return q.store(ctx, p)
		}
		q.start = p.next
		var (
			following page
			readErr   error
			reading   sync.WaitGroup
		)
		reading.Go(func() {
			readErr = panics.Catch(func() (err error) {
				following, err = q.read(fetching)
				return err
			})
		})
		err := q.store(ctx, p)
		if err != nil {
			cancel()
		}
		reading.Wait()
		if err != nil {
			return err
		}
		if readErr != nil {
			return readErr
		}
		p = following
	}
}

// bound fails if the pages do not come to an end.
func (q *sequence) bound(ctx context.Context, p page) (err error) {
	q.pages++
	q.profiles += int64(p.profiles)
	expected := q.total
	if q.total < 0 && p.next != "" && q.pages&(q.pages-1) == 0 {
		// Without a total, the profiles are counted after 1, 2, 4, 8, ... pages. This page
		// is not among them yet.
		if expected, err = q.s.spool.count(ctx); err != nil {
			return err
		}
	}
	// A repeated token alone does not show that a page is given again: an API note says of
	// Lytics' scans of content that the token can look the same from page to page. The scan
	// is stuck if the profiles are those of the page before too.
	token, stuck, hash := p.next, false, maphash.String(hashSeed, p.data.Raw)
	if p.next == q.start {
		token, stuck = fmt.Sprintf("%s after page %d", p.next, q.pages), hash == q.hash
	}
	q.hash = hash
	if p.next == "" {
		return nil
	}
	switch err := q.bounds.Next(token, p.profiles, 0); {
	case stuck, expected >= 0 && q.profiles > 3*expected+10*pageSize:
		return q.endless(fmt.Sprintf("Lytics gives the same profiles again and again: %d so far, of %d", q.profiles, expected))
	case err != nil:
		return q.endless(err.Error())
	}
	return nil
}

// endless is the error of pages that do not come to an end. Those of splits, of which little
// is known, leave it to the pages of the whole audience.
func (q *sequence) endless(why string) error {
	if q.splits != "" {
		return errSplitsRefused
	}
	return q.s.endless(why)
}

// store adds the profiles of a page to the spool.
func (q *sequence) store(ctx context.Context, p page) (err error) {
	rows := make([]profileRow, 0, p.profiles)
	p.data.ForEach(func(_, v gjson.Result) bool {
		var row profileRow
		row, err = q.s.row(v)
		rows = append(rows, row)
		return err == nil
	})
	if err != nil {
		return err
	}
	return q.s.spool.add(ctx, rows)
}

// read reads and checks the page at start.
func (q *sequence) read(ctx context.Context) (page, error) {
	answer, err := q.fetch(ctx)
	if err != nil {
		return page{}, err
	}
	total, p, err := q.s.check(answer)
	if total >= 0 && (q.total < 0 || total < q.total) {
		q.total = total
	}
	if p.next == q.start && p.profiles == 0 && q.total >= 0 {
		p.next = "" // the end, where the token stays; the total tells whether all are there
	}
	return p, err
}

// fetch reads the page at start. If its profiles are too large together, it asks for fewer.
func (q *sequence) fetch(ctx context.Context) ([]byte, error) {
	for {
		answer, err := q.ask(ctx)
		exceeded, ok := errors.AsType[*egress.AnswerError](err)
		switch {
		case !ok || exceeded.Late:
			return answer, err
		case q.limit > 1:
			q.limit /= 2
		case q.splits != "":
			return nil, errSplitsRefused // a page of the whole audience may be larger
		default:
			return answer, err
		}
	}
}

func (q *sequence) ask(ctx context.Context) ([]byte, error) {
	s := q.s
	c := s.p.get(s.summary, "/api/segment/"+url.PathEscape(s.segment)+"/scan")
	for k, v := range s.query {
		c.query[k] = v
	}
	c.query.Set("limit", strconv.Itoa(q.limit))
	if q.splits != "" {
		c.query.Set("splits", q.splits)
	}
	c.private, c.patience, c.timeout, c.limits, c.backOff = true, runPatience, pageTimeout, q.limits, &s.backOff
	if q.start != "" {
		c.query.Set("start", q.start)
	}
	answer, err := s.p.do(ctx, c)
	refused := hasStatus(err, http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusConflict, http.StatusUnprocessableEntity)
	switch {
	case refused && q.start != "":
		return nil, errStartRefused
	case refused && q.splits != "":
		return nil, errSplitsRefused
	}
	return answer, err
}

// check checks a page, and returns its total, or -1. A page without its list is no page
// without profiles: the export would have too few.
func (s *scan) check(answer []byte) (total int64, p page, err error) {
	malformed := func(format string, args ...any) error {
		return s.p.get(s.summary, "").malformed(fmt.Errorf(format, args...))
	}
	total = -1
	if t := gjson.GetBytes(answer, "total"); t.Type != gjson.Null {
		var ok bool
		if total, ok = count(t); !ok {
			return -1, p, malformed("its total is no number of profiles")
		}
	}
	p.data = gjson.GetBytes(answer, "data")
	if empty := p.data.Type == gjson.Null && p.data.Exists() && total == 0; !p.data.IsArray() && !empty {
		return -1, p, malformed("it has no list of profiles")
	}
	for _, key := range []string{"_next", "next"} {
		switch v := gjson.GetBytes(answer, key); v.Type {
		case gjson.Null:
		case gjson.String, gjson.Number: // older descriptions have a number
			p.next = cmp.Or(p.next, v.String())
		default:
			return -1, p, malformed("its %s is no token", key)
		}
	}
	p.data.ForEach(func(_, v gjson.Result) bool {
		switch p.profiles++; {
		case !v.IsObject():
			err = malformed("entry %d is no profile", p.profiles)
		case p.profiles > pageSize:
			err = s.endless(fmt.Sprintf("Lytics gives more than the %d profiles that a page may have", pageSize))
		}
		return err == nil
	})
	return total, p, err
}
