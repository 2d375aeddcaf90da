// Package differential compares the sandbox's two engines: their columns, types, rows and
// errors for the same statements.
package differential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/record"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Outcome is the result or the error of a statement.
type Outcome struct {
	// Columns are the names of the columns with their types.
	Columns []string
	// Rows are the first keptRows rows, as text; Digest covers all rows.
	Rows   []string
	cells  [][]string
	Digest record.Digest
	// Class, SQLState and Message describe an error.
	Class, SQLState, Message string
}

// keptRows is the most rows that an outcome keeps.
const keptRows = 6000

// Run executes a statement to the end of its result.
func Run(ctx context.Context, s warehouse.Session, statement string, params []warehouse.Parameter) Outcome {
	var out Outcome
	r, err := s.Execute(ctx, statement, params)
	if err != nil {
		out.fail(err)
		return out
	}
	defer func() { _ = r.Close() }()
	for _, c := range r.Columns() {
		out.Columns = append(out.Columns, nameAndType(c))
	}
	for {
		batch, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			out.fail(err)
			return out
		}
		err = out.add(batch)
		batch.Release()
		if err != nil {
			out.fail(err)
			return out
		}
	}
}

// add adds the rows of a batch.
func (o *Outcome) add(batch arrow.RecordBatch) error {
	err := o.Digest.Add(batch)
	for i := 0; i < int(batch.NumRows()) && len(o.Rows) < keptRows && err == nil; i++ {
		var cells []string
		cells, err = record.Cells(batch, i)
		o.cells, o.Rows = append(o.cells, cells), append(o.Rows, strings.Join(cells, " | "))
	}
	return err
}

func nameAndType(c warehouse.Column) string { return c.Name + string(nameTypeSeparator) + c.Type }

// fail replaces the outcome by an error. Rows before the error do not count, since an
// engine may or may not stream them.
func (o *Outcome) fail(err error) {
	*o = Outcome{Class: "(no class)", Message: err.Error()}
	if shaped := (*warehouse.Error)(nil); errors.As(err, &shaped) {
		o.Class, o.SQLState = shaped.Class, shaped.SQLState
	}
}

// Rules define which differences between two outcomes count.
type Rules struct {
	// Ordered is true if the order of the rows counts.
	Ordered bool
	// Unnamed marks columns whose names the engine generates. Only their types count.
	Unnamed []bool
}

// RulesOf returns the rules for the outcomes of a statement.
func RulesOf(statement string) Rules {
	return Rules{Ordered: hasTopLevelWord(statement, "ORDER"), Unnamed: unnamedColumns(statement)}
}

// unnamedColumns marks the columns of a query that are expressions without an alias.
func unnamedColumns(statement string) []bool {
	parsed, err := syntax.Parse(statement)
	if err != nil {
		return nil
	}
	q, ok := parsed.(*syntax.QueryStatement)
	if !ok {
		return nil
	}
	body := q.Query.Body
	for {
		union, ok := body.(*syntax.SetOp)
		if !ok {
			break
		}
		body = union.L
	}
	selected, ok := body.(*syntax.Select)
	if !ok {
		return nil
	}
	out := make([]bool, len(selected.Items))
	for i, item := range selected.Items {
		if _, star := item.X.(*syntax.Star); star {
			return nil
		}
		out[i] = item.Alias == "" && item.Aliases == nil && !isColumn(item.X)
	}
	return out
}

// isColumn reports whether an expression is a dotted name.
func isColumn(x syntax.Expr) bool {
	switch x := x.(type) {
	case *syntax.Name:
		return true
	case *syntax.Field:
		return isColumn(x.X)
	}
	return false
}

func (r Rules) sameColumns(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		if len(r.Unnamed) != len(a) || !r.Unnamed[i] || typeOf(a[i]) != typeOf(b[i]) {
			return false
		}
	}
	return true
}

// typeOf returns the type from the result of nameAndType.
func typeOf(column string) string { return column[strings.LastIndexByte(column, nameTypeSeparator)+1:] }

// nameTypeSeparator separates a column's name from its type.
const nameTypeSeparator = '\u001f'

// Difference describes how two outcomes differ; it is empty if they do not.
func (r Rules) Difference(a, b *Outcome) string {
	switch {
	case a.Class != b.Class || a.SQLState != b.SQLState:
		return "errors differ"
	case !r.sameColumns(a.Columns, b.Columns):
		return "columns differ"
	case a.Digest.Rows() != b.Digest.Rows():
		return fmt.Sprintf("%d rows and %d rows", a.Digest.Rows(), b.Digest.Rows())
	case a.Digest.Unordered() != b.Digest.Unordered():
		return "rows differ"
	case r.Ordered && a.Digest.Ordered() != b.Digest.Ordered():
		return "the order differs"
	}
	return ""
}

// DifferingColumns returns the columns whose values differ; nil if the outcomes differ in
// more than values.
func DifferingColumns(a, b *Outcome) []string {
	if a.Message != "" || b.Message != "" || len(a.Columns) != len(b.Columns) ||
		a.Digest.Rows() != b.Digest.Rows() || a.Digest.Rows() > keptRows || len(a.cells) != len(b.cells) {
		return nil
	}
	var out []string
	for c, name := range a.Columns {
		for i := range a.cells {
			if a.cells[i][c] != b.cells[i][c] {
				out = append(out, name[:strings.LastIndexByte(name, nameTypeSeparator)])
				break
			}
		}
	}
	return out
}

// shownRows is the most rows that String shows.
const shownRows = 20

// String formats an outcome for people.
func (o *Outcome) String() string {
	if o.Message != "" {
		return "  error " + o.Class + " " + o.SQLState + ": " + o.Message
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  columns %s", strings.ReplaceAll(strings.Join(o.Columns, ", "), string(nameTypeSeparator), " "))
	for i, row := range o.Rows {
		if i == shownRows {
			fmt.Fprintf(&b, "\n  ... of %d", o.Digest.Rows())
			break
		}
		b.WriteString("\n  " + row)
	}
	return b.String()
}

// hasTopLevelWord reports whether a statement has a word outside of parentheses.
func hasTopLevelWord(statement, word string) bool {
	tokens, err := syntax.Lex(statement)
	if err != nil {
		return false
	}
	depth := 0
	for _, t := range tokens {
		switch {
		case t.Kind == syntax.Op && t.Text == "(":
			depth++
		case t.Kind == syntax.Op && t.Text == ")":
			depth--
		case depth == 0 && t.Kind == syntax.Word && t.Upper == word:
			return true
		}
	}
	return false
}
