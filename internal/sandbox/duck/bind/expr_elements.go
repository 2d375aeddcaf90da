package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// field binds x.name: a field of a struct or of the structs in an array, or a map's
// value.
func (b *binder) field(x *Expr, name string) *Expr {
	t := x.Type
	if t.Kind == types.Map {
		return b.element(x, b.stringLiteral(name))
	}
	s := t
	if t.Kind == types.Array {
		s = t.Elem
	}
	if s.Kind != types.Struct {
		panic(
			sqlerror.New(
				"INVALID_EXTRACT_BASE_FIELD_TYPE",
				"42000",
				"Can't extract a value from \"%s\". Need a complex type [STRUCT, ARRAY, MAP] but got \"%s\".",
				x.Name,
				x.Type,
			),
		)
	}
	i := s.FieldIndex(name)
	if i < 0 {
		known := make([]string, len(s.Fields))
		for i, f := range s.Fields {
			known[i] = quoting.Name(f.Name)
		}
		panic(sqlerror.New("FIELD_NOT_FOUND", "42704", "No such struct field %s in %s.", quoting.Name(name), strings.Join(known, ", ")))
	}
	f := s.Fields[i]
	out := &Expr{Name: f.Name, Type: f.Type, Nullable: x.Nullable || !f.NotNull, aggregate: x.aggregate}
	if x.members != nil && t.Kind == types.Struct {
		out.SQL = x.members[i].expr.SQL
		return out
	}
	out.SQL = fmt.Sprintf("struct_extract(%s, %s)", x.SQL, StringLiteral(f.Name))
	if t.Kind == types.Array {
		v := b.newVariable()
		out.Type = types.ArrayOf(f.Type)
		out.SQL = fmt.Sprintf("list_transform(%s, lambda %s: struct_extract(%s, %s))", x.SQL, v, v, StringLiteral(f.Name))
	}
	return out
}

// index binds x[i]: an array's element, counted from 0, or a map's value.
func (b *binder) index(x *syntax.Index, sc *scope) *Expr {
	l, i := b.expr(x.X, sc), b.expr(x.I, sc)
	switch l.Type.Kind {
	case types.Map:
		return b.element(l, i)
	case types.Array:
		i = b.implicitCast(i, types.IntType)
		out := fmt.Sprintf("list_extract(%s, %s + 1)", l.SQL, i.SQL)
		bad := fmt.Sprintf("(%s < 0 OR %s >= len(%s))", i.SQL, i.SQL, l.SQL)
		return b.arrayElement(l, i, out, bad, "INVALID_ARRAY_INDEX", "The index ", " is out of bounds. The array has ")
	case types.Struct:
		if i.text != nil {
			return b.field(l, *i.text)
		}
	}
	panic(
		sqlerror.New(
			"INVALID_EXTRACT_BASE_FIELD_TYPE",
			"42000",
			"Can't extract a value from \"%s\". Need a complex type [STRUCT, ARRAY, MAP] but got \"%s\".",
			l.Name,
			l.Type,
		),
	)
}

func (b *binder) arrayElement(l, i *Expr, out, bad, class, before, between string) *Expr {
	otherwise := cast("NULL", l.Type.Elem)
	if b.env.ANSI {
		otherwise = raiseSQL(
			class,
			"22003",
			fmt.Sprintf(
				"concat('%s', %s, '%s', len(%s), ' elements. Use the SQL function get() to tolerate accessing element at invalid index and return NULL instead.')",
				before,
				i.SQL,
				between,
				l.SQL,
			),
		)
	}
	return &Expr{
		SQL:       fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", bad, otherwise, out),
		Type:      l.Type.Elem,
		Nullable:  true,
		aggregate: l.aggregate,
	}
}

// element returns a map's value for a key, or NULL.
func (b *binder) element(m, key *Expr) *Expr {
	key = b.implicitCast(key, m.Type.Key)
	return &Expr{
		SQL:       fmt.Sprintf("map_extract_value(%s, %s)", m.SQL, key.SQL),
		Type:      m.Type.Elem,
		Nullable:  true,
		Name:      m.Name + "[" + key.Name + "]",
		aggregate: m.aggregate,
	}
}

// raiseSQL returns SQL that raises an error in Databricks' form. message is SQL.
func raiseSQL(class, state, message string) string {
	return fmt.Sprintf("error(concat('%s', '%s|%s|', %s))", ErrorMarker, class, state, message)
}

// ErrorMarker begins the text of an error that raiseSQL raises.
const ErrorMarker = "\x01dbx|"
