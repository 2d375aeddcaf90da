package syntax

import (
	"encoding/hex"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
)

// primary parses literals, names, calls and parentheses.
func (p *parser) primary() Expr {
	t := p.peek()
	switch t.Kind {
	case Number:
		p.i++
		return Num{Text: t.Upper}
	case StringToken:
		return Str{Value: p.stringLiteral()}
	case HexString:
		p.i++
		text := t.Text
		if len(text)%2 == 1 {
			text = "0" + text
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			panic(sqlerror.New("INVALID_TYPED_LITERAL", "42604", "The value of the typed literal \"X\" is invalid: '%s'.", t.Text))
		}
		return Bytes{Value: b}
	case QuotedWord:
		p.i++
		return &Name{Parts: []string{t.Text}}
	case Op:
		return p.primaryOp(t)
	case Word:
		if parts := p.identifierClause(); parts != nil {
			return &Name{Parts: parts}
		}
		if x := p.keywordExpr(t); x != nil {
			return x
		}
		if reserved[t.Upper] && !p.isOpAt(1, "(") || p.digitsOnly(t) {
			p.syntaxError("")
		}
		p.i++
		return &Name{Parts: []string{t.Text}}
	}
	p.syntaxError("")
	return nil
}

func (p *parser) primaryOp(t Token) Expr {
	switch t.Text {
	case "*":
		p.i++
		return p.starExcept(&Star{})
	case "?":
		p.i++
		p.params++
		return &Param{Ordinal: p.params}
	case ":":
		p.i++
		if !isMarkerName(t, p.peek()) {
			p.syntaxError("a parameter's name is expected")
		}
		return &Param{Name: p.next().Text}
	case "(":
		p.i++
		if p.startsQuery() {
			q := p.query()
			p.expectOp(")")
			return &Subquery{Query: q}
		}
		items := p.exprList()
		if len(items) == 1 {
			return items[0]
		}
		return &Call{Name: []string{"struct"}, Args: items}
	}
	p.syntaxError("")
	return nil
}

// keywordExpr parses an expression that begins with a keyword, or returns nil.
func (p *parser) keywordExpr(t Token) Expr {
	call := p.isOpAt(1, "(")
	switch t.Upper {
	case "NULL":
		p.i++
		return Null{}
	case "TRUE", "FALSE":
		p.i++
		return Bool{Value: t.Upper == "TRUE"}
	case "CASE":
		p.i++
		return p.caseExpr()
	case "CAST", "TRY_CAST":
		if call {
			return p.cast(t.Upper == "TRY_CAST")
		}
	case "EXISTS":
		if call {
			p.i += 2
			if !p.startsQuery() {
				return p.callArgs(&Call{Name: []string{"exists"}})
			}
			q := p.query()
			p.expectOp(")")
			return &Exists{Query: q}
		}
	case "DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ":
		if p.peekAt(1).Kind == StringToken {
			p.i++
			return Typed{Type: simpleTypes[t.Upper], Value: p.next().Text}
		}
	case "INTERVAL":
		if n := p.peekAt(1); n.Kind == StringToken || n.Kind == Number || n.Kind == Op && (n.Text == "-" || n.Text == "(") {
			return p.interval()
		}
	case "CURRENT_DATE", "CURRENT_TIMESTAMP", "CURRENT_USER", "LOCALTIMESTAMP", "SESSION_USER", "USER":
		if !call && t.Upper != "USER" {
			p.i++
			return &Call{Name: []string{t.Text}}
		}
	case "EXTRACT", "POSITION": // their arguments are not separated by commas
		if call {
			panic(sqlerror.UnresolvedRoutine(t.Text))
		}
	case "TRIM":
		if call {
			return p.trim()
		}
	case "SUBSTRING", "SUBSTR":
		if call {
			return p.substring()
		}
	case "TIMESTAMPADD", "DATEADD", "DATE_ADD", "TIMESTAMPDIFF", "DATEDIFF", "DATE_DIFF":
		if call && p.peekAt(2).Kind == Word && units[p.peekAt(2).Upper] && p.isOpAt(3, ",") {
			p.i += 2
			args := []Expr{Str{Value: p.timeUnit()}}
			p.expectOp(",")
			args = append(args, p.exprList()...)
			return &Call{Name: []string{t.Text}, Args: args}
		}
	case "LEFT", "RIGHT", "IF", "REPLACE", "ARRAY", "MAP", "STRUCT", "LIKE", "SET":
		if call {
			p.i++
			return p.call([]string{t.Text})
		}
	}
	return nil
}

func (p *parser) caseExpr() Expr {
	c := &Case{}
	if !p.is("WHEN") {
		c.Operand = p.expr()
	}
	for p.accept("WHEN") {
		w := When{Cond: p.expr()}
		p.expect("THEN")
		w.Then = p.expr()
		c.Whens = append(c.Whens, w)
	}
	if len(c.Whens) == 0 {
		p.syntaxError("missing 'WHEN'")
	}
	if p.accept("ELSE") {
		c.Else = p.expr()
	}
	p.expect("END")
	return c
}

func (p *parser) cast(try bool) Expr {
	p.i += 2
	c := &Cast{X: p.expr(), Try: try}
	p.expect("AS")
	c.Type = p.dataType()
	p.expectOp(")")
	return c
}

var units = map[string]bool{}

func init() {
	for u := range strings.FieldsSeq("YEAR QUARTER MONTH WEEK DAY DAYOFYEAR HOUR MINUTE SECOND MILLISECOND MICROSECOND DOW DOY " +
		"DAYOFWEEK EPOCH") {
		units[u] = true
	}
}

func (p *parser) timeUnit() string {
	t := p.peek()
	u := t.Upper
	if t.Kind != Word || !units[u] && !units[strings.TrimSuffix(u, "S")] {
		p.syntaxError("a unit of time is expected")
	}
	p.i++
	if !units[u] {
		u = strings.TrimSuffix(u, "S")
	}
	return u
}

// interval parses INTERVAL 1 DAY, INTERVAL '1' DAY, INTERVAL '1 day 2 hours'
// and INTERVAL '1 02:03:04' DAY TO SECOND.
func (p *parser) interval() Expr {
	p.i++
	iv := &Interval{}
	if t := p.peek(); t.Kind == StringToken &&
		!(p.peekAt(1).Kind == Word && (units[p.peekAt(1).Upper] || units[strings.TrimSuffix(p.peekAt(1).Upper, "S")])) {
		p.i++
		return p.intervalText(t)
	}
	for {
		x := p.unary()
		u := p.timeUnit()
		if p.is("TO") {
			p.failWith(sqlerror.Unsupported("an INTERVAL literal with TO"))
		}
		iv.Values, iv.Units = append(iv.Values, x), append(iv.Units, u)
		if t := p.peek(); t.Kind != Number && t.Kind != StringToken {
			return iv
		}
	}
}

func (p *parser) intervalText(t Token) Expr {
	words := strings.Fields(t.Text)
	if len(words) > 0 && strings.EqualFold(words[0], "interval") {
		words = words[1:]
	}
	iv := &Interval{}
	for i := 0; i+1 < len(words); i += 2 {
		u := strings.ToUpper(words[i+1])
		if !units[u] {
			u = strings.TrimSuffix(u, "S")
		}
		if !units[u] {
			words = nil
			break
		}
		iv.Values, iv.Units = append(iv.Values, Str{Value: words[i]}), append(iv.Units, u)
	}
	if len(words) == 0 || len(words)%2 == 1 {
		panic(sqlerror.New("INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING", "22006", "Error parsing '%s' to interval.", t.Text))
	}
	return iv
}

func (p *parser) trim() Expr {
	p.i += 2
	name := "trim"
	switch p.acceptAny("BOTH", "LEADING", "TRAILING") {
	case "LEADING":
		name = "ltrim"
	case "TRAILING":
		name = "rtrim"
	}
	var first Expr
	if !p.is("FROM") {
		first = p.expr()
	}
	if p.accept("FROM") {
		x := p.expr()
		p.expectOp(")")
		if first == nil {
			return &Call{Name: []string{name}, Args: []Expr{x}}
		}
		// The order of arguments of ltrim(characters, text).
		return &Call{Name: []string{name}, Args: []Expr{first, x}}
	}
	args := []Expr{first}
	for p.acceptOp(",") {
		args = append(args, p.expr())
	}
	p.expectOp(")")
	return &Call{Name: []string{name}, Args: args}
}

func (p *parser) substring() Expr {
	name := p.next().Text
	p.expectOp("(")
	args := []Expr{p.expr()}
	for p.acceptOp(",") || p.accept("FROM") || p.accept("FOR") {
		args = append(args, p.expr())
	}
	p.expectOp(")")
	return &Call{Name: []string{name}, Args: args}
}
