package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/filterql"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// query is an audience bound to a generation of profiles.
type query struct {
	profiles profileStorage
	source   generation
	built    bool
	fields   []mappedField
	// filtered selects the fields that the filter names.
	filtered []bool
	matcher  *filterql.Matcher
	now      time.Time
	columns  []jobs.Field
	// indexes are the indexes of the columns in fields; -1 for a field that no
	// mapping feeds.
	indexes []int
}

// columnChoice selects the columns of a scan.
type columnChoice struct {
	// fields are ids of fields; empty means all fields, by id.
	fields []string
	// none means rows without cells, for counting.
	none bool
}

// Scan reads the profiles of an audience. It returns the columns, and the rows in a
// stable order. All rows are from one snapshot, which is taken when the iteration
// begins. Empty fields means all fields, ordered by id.
func (p *Platform) Scan(ctx context.Context, audience string, fields []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error) {
	columns := columnChoice{fields: fields}
	q, err := p.query(ctx, audience, columns)
	if err != nil {
		return nil, nil, p.storageError("Cannot scan audience "+audience, err)
	}
	return q.columns, func(yield func([]jobs.Value, error) bool) {
		err := p.snapshot(ctx, audience, columns, func(now *query) error {
			if !slices.Equal(now.columns, q.columns) {
				return errors.New("its fields changed while the scan began; run it again")
			}
			var r renderer
			return now.each(ctx, func(profile *rowReader) (bool, error) {
				row, err := r.row(profile)
				return err == nil && yield(row, nil), err
			})
		})
		if err != nil {
			yield(nil, p.storageError("Cannot scan audience "+audience, err))
		}
	}, nil
}

// AudienceSize counts the profiles of an audience.
func (p *Platform) AudienceSize(ctx context.Context, audience string) (n int64, err error) {
	err = p.snapshot(ctx, audience, columnChoice{none: true}, func(q *query) error {
		return q.each(ctx, func(*rowReader) (bool, error) { n++; return true, nil })
	})
	if err != nil {
		return 0, p.storageError("Cannot count audience "+audience, err)
	}
	return n, nil
}

// replacedRetries is the number of attempts at a read during which another process
// replaces and removes the current generation.
const replacedRetries = 3

func (p *Platform) snapshot(ctx context.Context, audience string, columns columnChoice, read func(q *query) error) error {
	for try := 1; ; try++ {
		q, err := p.query(ctx, audience, columns)
		if err != nil {
			return err
		}
		if err = read(q); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if try == replacedRetries {
			return fmt.Errorf("the profiles do not exist; the next build creates them again: %w", err)
		}
	}
}

// query reads all definitions in one snapshot of the store.
func (p *Platform) query(ctx context.Context, audience string, columns columnChoice) (*query, error) {
	var q *query
	err := p.db.Read().Snapshot(ctx, func(s store.Querier) (err error) {
		q, err = p.queryIn(ctx, s, audience, columns)
		return err
	})
	return q, err
}

func (p *Platform) queryIn(ctx context.Context, s queryer, audience string, columns columnChoice) (*query, error) {
	a, ok, err := findAudience(ctx, s, audience)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, notFound("audience", audience)
	}
	defined, err := listFields(ctx, s)
	if err != nil {
		return nil, err
	}
	g, built, err := currentGeneration(ctx, s)
	if err != nil {
		return nil, err
	}
	q := &query{profiles: p.profiles, source: g, built: built, fields: g.fields, now: p.now().UTC()}
	if !columns.none {
		if err := q.choose(defined, columns.fields); err != nil {
			return nil, err
		}
	}
	return q, q.compile(a, defined, includeResolver(ctx, s))
}

// choose sets the columns. A field that was changed after the last build has the type
// of that build.
func (q *query) choose(defined []jobs.Field, names []string) error {
	if len(names) == 0 {
		for _, f := range defined {
			names = append(names, f.ID)
		}
	}
	for i, name := range names {
		d := slices.IndexFunc(defined, func(f jobs.Field) bool { return f.ID == name })
		if d < 0 {
			return jobs.Invalid("fields", fmt.Sprintf("There is no field %q", name),
				"The fields are "+strings.Join(fieldIDs(defined), ", ")+".", "Correct the list, or create the field")
		}
		if slices.Contains(names[:i], name) {
			return jobs.Invalid("fields", fmt.Sprintf("Field %q is named twice", name), "a table has each column once", "Name it once")
		}
		column := defined[d]
		index := slices.IndexFunc(q.fields, func(f mappedField) bool { return f.ID == name })
		if index >= 0 {
			column = q.fields[index].Field
			column.Description, column.IsPII = defined[d].Description, defined[d].IsPII
		}
		q.columns, q.indexes = append(q.columns, column), append(q.indexes, index)
	}
	return nil
}

func fieldIDs(fields []jobs.Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.ID
	}
	return names
}

// compile binds the filter to rows of the mapped fields. A row has one more value,
// which is always NULL: it is the value of every field that no mapping feeds.
func (q *query) compile(a jobs.Audience, defined []jobs.Field, include func(string) (*filterql.Filter, error)) error {
	f, err := platform.ParseFilter(a.Filter)
	if err != nil {
		return err
	}
	q.filtered = make([]bool, len(q.fields))
	if err := checkFields(f, defined); err != nil {
		return platform.FilterError(fmt.Sprintf("The filter of audience %q cannot be evaluated", a.Name), err)
	}
	q.matcher, err = f.Compile(filterql.Environment{
		Now: q.now,
		Field: func(name string) (int, value.Type, bool) {
			if i := slices.IndexFunc(q.fields, func(f mappedField) bool { return f.ID == name }); i >= 0 {
				q.filtered[i] = true
				return i, q.fields[i].rule.Type(), true
			}
			i := slices.IndexFunc(defined, func(f jobs.Field) bool { return f.ID == name })
			if i < 0 {
				return 0, value.Type{}, false
			}
			t, ok := value.ParseType(defined[i].Type)
			return len(q.fields), t, ok
		},
		Include: func(name string) (*filterql.Filter, error) {
			inner, err := include(name)
			if err != nil {
				return nil, err
			}
			if err := checkFields(inner, defined); err != nil {
				return nil, &filterql.Error{Reason: fmt.Sprintf("in the included audience %s, %v", name, err)}
			}
			return inner, nil
		},
	})
	if _, ok := errors.AsType[*filterql.Error](err); ok {
		return platform.FilterError(fmt.Sprintf("The filter of audience %q cannot be evaluated", a.Name), err)
	}
	return err
}

// checkFields refuses a filter that names an undefined field. Lytics treats such a
// field as missing from every profile; here it is more often a misspelled name, or a
// string in single quotes.
func checkFields(f *filterql.Filter, defined []jobs.Field) error {
	for _, name := range f.Fields() {
		if !slices.ContainsFunc(defined, func(d jobs.Field) bool { return d.ID == name }) {
			return &filterql.Error{Reason: fmt.Sprintf("there is no field %q; a string is written in double quotes", name)}
		}
	}
	return nil
}

// each calls f for the profiles that match, until f returns false or an error. The profile
// is valid only during the call.
func (q *query) each(ctx context.Context, f func(profile *rowReader) (bool, error)) error {
	if !q.built {
		return nil
	}
	r, err := q.profiles.read(ctx, q.source)
	if err != nil {
		return err
	}
	defer func() { _ = r.close() }()
	row := make([]value.Value, len(q.fields)+1)
	reader := newRowReader(q.fields, q.filtered, q.indexes, q.now)
	return r.each(ctx, func(id int64, blob []byte) (more bool, err error) {
		conflict, err := reader.read(blob, row)
		if more = true; err == nil && !conflict && q.matcher.Match(row) {
			more, err = f(reader)
		}
		if err != nil {
			return false, fmt.Errorf("profile %d: %w; %s to build all profiles again", id, err, q.profiles.rebuildHint())
		}
		return more, nil
	})
}

// renderer converts stored profiles to rows of text.
type renderer struct {
	// text holds the texts of a row, one after the other. The n-th text ends at
	// ends[n].
	text []byte
	ends []int
	// cells and texts are the memory for the cells and the texts of the next rows.
	cells []jobs.Value
	texts strings.Builder
}

// rowsPerAllocation is the number of rows whose cells are allocated together, and
// textsPerAllocation the number of bytes of their texts.
const (
	rowsPerAllocation  = 32
	textsPerAllocation = 4 << 10
)

// row renders a profile. Its cells are not reused. The texts of some rows are parts of one
// string.
func (r *renderer) row(profile *rowReader) ([]jobs.Value, error) {
	width := len(profile.columns)
	if len(r.cells) < width {
		r.cells = make([]jobs.Value, rowsPerAllocation*width)
	}
	out := r.cells[:width:width]
	r.cells = r.cells[width:]
	r.text, r.ends = r.text[:0], r.ends[:0]
	for i := range out {
		var err error
		if r.text, out[i].Null, err = profile.appendText(r.text, i); err != nil {
			return nil, err
		}
		r.ends = append(r.ends, len(r.text))
	}
	if r.texts.Cap()-r.texts.Len() < len(r.text) {
		r.texts.Reset()
		r.texts.Grow(max(textsPerAllocation, len(r.text)))
	}
	r.texts.Write(r.text)
	text, from := r.texts.String()[r.texts.Len()-len(r.text):], 0
	for i, end := range r.ends {
		out[i].Text = text[from:end]
		from = end
	}
	return out, nil
}
