package bind

import (
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
)

// Mentions reports whether FROM of a query names a table by the single part name.
func Mentions(q *syntax.Query, name string) bool {
	for _, w := range q.With {
		if Mentions(w.Query, name) {
			return true
		}
	}
	return bodyMentions(q.Body, name)
}

func bodyMentions(body syntax.QueryBody, name string) bool {
	switch b := body.(type) {
	case *syntax.Query:
		return Mentions(b, name)
	case *syntax.SetOp:
		return bodyMentions(b.L, name) || bodyMentions(b.R, name)
	case *syntax.Select:
		for _, t := range b.From {
			if tableMentions(t, name) {
				return true
			}
		}
	}
	return false
}

func tableMentions(t syntax.TableExpr, name string) bool {
	switch t := t.(type) {
	case *syntax.TableName:
		return len(t.Parts) == 1 && strings.EqualFold(t.Parts[0], name)
	case *syntax.TableQuery:
		return Mentions(t.Query, name)
	case *syntax.Join:
		return tableMentions(t.L, name) || tableMentions(t.R, name)
	case *syntax.LateralView:
		return tableMentions(t.X, name)
	}
	return false
}
