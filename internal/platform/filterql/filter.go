package filterql

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lql"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// The limits of one filter.
const (
	// MaxLength is the length limit of the text in bytes.
	MaxLength = 64 << 10
	maxDepth  = 1000
	maxNodes  = 5000
)

// Error is an error in a filter, with its position.
type Error struct {
	// Line and Column count from 1, columns in characters. Both are 0 if the error
	// has no position.
	Line, Column int
	Reason       string
}

func (e *Error) Error() string {
	switch {
	case e.Line == 0:
		return e.Reason
	case e.Line == 1:
		return fmt.Sprintf("column %d: %s", e.Column, e.Reason)
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// Filter is a parsed filter.
type Filter struct {
	// Alias is the name after ALIAS in lower case; empty without the clause.
	Alias string
	// From is the table after FROM; "user" without the clause.
	From string
	// Limit is the number after LIMIT. It limits the result of a query, not the
	// profiles that the filter matches.
	Limit int64
	// HasLimit reports whether there is a LIMIT.
	HasLimit bool
	// With is the unparsed text after WITH; empty without the clause.
	With string

	condition *lql.Tree
}

// Fields lists the fields that the filter names, without those of included audiences,
// sorted.
func (f *Filter) Fields() []string { return f.condition.Columns() }

// Includes lists the audiences that the filter includes, sorted.
func (f *Filter) Includes() []string { return f.condition.Includes() }

// CheckTypes refuses a comparison that can never be true, such as age > "old" where age
// is a number. Lytics accepts such a filter, but it matches no profile. The error is an
// *Error.
func (f *Filter) CheckTypes(typeOf func(field string) (value.Type, bool)) error {
	if err := f.condition.CheckTypes(typeOf); err != nil {
		return &Error{Line: err.Line, Column: err.Column, Reason: err.Reason}
	}
	return nil
}

// Parse parses a filter. The error is an *Error.
func Parse(text string) (*Filter, error) {
	if len(text) > MaxLength {
		return nil, &Error{Reason: "the filter is longer than 64 KB"}
	}
	f, err := parse(text)
	if err != nil {
		return nil, &Error{Line: err.Line, Column: err.Column, Reason: err.Reason + suggestion(text, err)}
	}
	return f, nil
}

// begins matches a text that begins with the word FILTER.
var begins = regexp.MustCompile(`^FILTER(?:[^\pL\pN_./@-]|$)`)

// Normalize writes a filter in one way, so that two filters with the same words can be
// compared: with the word FILTER, reserved words in capitals, one space where there was
// white space, and without comments and semicolon. It means what text means. The error is
// an *Error.
func Normalize(text string) (string, error) {
	if _, err := Parse(text); err != nil {
		return "", err
	}
	out, err := lql.Normalize(text, lql.Filters)
	if err != nil {
		return "", &Error{Line: err.Line, Column: err.Column, Reason: err.Reason}
	}
	out = strings.TrimSuffix(out, ";")
	if !begins.MatchString(out) {
		out = "FILTER " + out
	}
	return out, nil
}

func parse(text string) (*Filter, *lql.Error) {
	p, err := lql.NewParser(text, lql.Filters, lql.Limits{Depth: maxDepth, Nodes: maxNodes})
	if err != nil {
		return nil, err
	}
	if _, err := p.Accept("FILTER"); err != nil {
		return nil, err
	}
	if p.AtEnd() {
		return nil, p.Fail("the filter is empty; * matches every profile")
	}
	f := &Filter{From: "user"}
	if f.condition, err = p.Condition(); err != nil {
		return nil, err
	}
	if v, ok := f.condition.Literal(); ok && v.Kind() != value.Bool {
		return nil, p.Fail("expected a comparison, not %s")
	}
	return f, f.clauses(p)
}

// clauses parses FROM, LIMIT, WITH and ALIAS, in that order, and one semicolon.
func (f *Filter) clauses(p *lql.Parser) *lql.Error {
	for _, clause := range []struct {
		word string
		read func(p *lql.Parser) *lql.Error
	}{
		{"FROM", func(p *lql.Parser) (err *lql.Error) { f.From, err = p.Name("a table after FROM"); return err }},
		{"LIMIT", f.limit},
		{"WITH", func(p *lql.Parser) (err *lql.Error) { f.With, err = p.Settings("ALIAS"); return err }},
		{"ALIAS", func(p *lql.Parser) (err *lql.Error) {
			f.Alias, err = p.Name("a name after ALIAS")
			f.Alias = strings.ToLower(f.Alias)
			return err
		}},
	} {
		found, err := p.Accept(clause.word)
		if err == nil && found {
			err = clause.read(p)
		}
		if err != nil {
			return err
		}
	}
	if _, err := p.Accept(";"); err != nil {
		return err
	}
	if !p.AtEnd() {
		return p.Fail("unexpected %s after the end of the filter")
	}
	return nil
}

func (f *Filter) limit(p *lql.Parser) *lql.Error {
	text, errorAt, err := p.Integer()
	if err != nil {
		return err
	}
	n, parseErr := strconv.ParseInt(text, 10, 64)
	if parseErr != nil {
		return errorAt("LIMIT needs an integer of 64 bits")
	}
	f.Limit, f.HasLimit = n, true
	return nil
}
