package filterql

import (
	"slices"
	"strings"
)

var comparisons = []string{"=", "==", "!=", "<>", "<", "<=", ">", ">="}

// mirrored is the operator with its sides changed.
var mirrored = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}

// predicate reads what tests one field.
func (p *parser) predicate() (node, *Error) {
	if p.atLiteral() {
		return p.literalFirst()
	}
	f, err := p.field()
	if err != nil {
		return nil, err
	}
	negated := p.tok.is("NOT")
	if negated {
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	inner, err := p.operation(f, negated)
	if err != nil {
		return nil, err
	}
	if negated {
		return not{inner}, nil
	}
	return inner, nil
}

func (p *parser) operation(f field, negated bool) (node, *Error) {
	op := p.tok
	switch {
	case op.is("IN"), op.is("INTERSECTS"):
		if err := p.advance(); err != nil {
			return nil, err
		}
		list, err := p.list(strings.ToUpper(op.text))
		return membership{f, list}, err
	case op.is("CONTAINS"), op.is("LIKE"):
		if err := p.advance(); err != nil {
			return nil, err
		}
		l, err := p.literal()
		if op.is("LIKE") {
			return like{f, l}, err
		}
		return contains{f, l}, err
	case op.is("BETWEEN"):
		return p.between(f)
	case negated:
		return nil, p.errorf(op.pos, "expected IN, LIKE, CONTAINS, BETWEEN or INTERSECTS after NOT, not %s", op.describe())
	case op.kind == tokenSymbol && slices.Contains(comparisons, op.text):
		if err := p.advance(); err != nil {
			return nil, err
		}
		l, err := p.literal()
		return comparison{f, op.text, l}, err
	}
	// A boolean field alone.
	return comparison{f, "=", literal{pos: f.pos, text: "true", boolean: trueValue}}, nil
}

func (p *parser) between(f field) (node, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	low, err := p.literal()
	if err != nil {
		return nil, err
	}
	if !p.tok.is("AND") {
		return nil, p.errorf(p.tok.pos, "expected AND between the ends of BETWEEN, not %s", p.tok.describe())
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	high, err := p.literal()
	return between{f, low, high}, err
}

// list reads the values of IN and INTERSECTS.
func (p *parser) list(after string) ([]literal, *Error) {
	open := p.tok
	if !open.is("(") {
		return nil, p.errorf(open.pos, "expected a list in parentheses after %s, not %s", after, open.describe())
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	var list []literal
	for !p.tok.is(")") {
		l, err := p.literal()
		if err != nil {
			return nil, err
		}
		list = append(list, l)
		if p.tok.is(",") {
			if err := p.advance(); err != nil {
				return nil, err
			}
		} else if !p.tok.is(")") {
			return nil, p.errorf(p.tok.pos, "expected a comma or %q, not %s", ")", p.tok.describe())
		}
	}
	if len(list) == 0 {
		return nil, p.errorf(open.pos, "%s needs at least one value", after)
	}
	return list, p.advance()
}

// literalFirst reads "a" = field and "a" IN field, and true and false alone.
func (p *parser) literalFirst() (node, *Error) {
	l, err := p.literal()
	if err != nil {
		return nil, err
	}
	op := p.tok
	switch {
	case op.kind == tokenSymbol && slices.Contains(comparisons, op.text):
		if err := p.advance(); err != nil {
			return nil, err
		}
		f, err := p.field()
		if m, ok := mirrored[op.text]; ok {
			op.text = m
		}
		return comparison{f, op.text, l}, err
	case op.is("IN"):
		if err := p.advance(); err != nil {
			return nil, err
		}
		f, err := p.field()
		return membership{f, []literal{l}}, err
	case !l.boolean.IsNull():
		if l.boolean.Bool() {
			return all{}, nil
		}
		return not{all{}}, nil
	}
	return nil, p.errorf(op.pos, "expected a comparison with %s, not %s", short(l.text), op.describe())
}
