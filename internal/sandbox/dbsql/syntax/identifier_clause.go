package syntax

import "github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"

// MarkerValue returns the value of a parameter marker: of :name, or for the name ""
// of the next question mark. A nil value is NULL. It returns Databricks' error for a
// marker without a value.
type MarkerValue func(name string) (*string, error)

// IdentifierClause evaluates IDENTIFIER(constant) at token i. The constant is a text:
// string literals and parameter markers, joined by || or concat. end is the index of
// the token after the clause. ok is false if there is no such clause at i.
func IdentifierClause(tokens []Token, i int, value MarkerValue) (parts []string, end int, ok bool, err error) {
	if i+1 >= len(tokens) || tokens[i].Kind != Word || tokens[i].Upper != "IDENTIFIER" || !opIs(tokens[i+1], "(") {
		return nil, 0, false, nil
	}
	c := &constantText{tokens: tokens, i: i + 2, value: value}
	text, isNull := c.join()
	switch {
	case c.err != nil:
		return nil, 0, false, c.err
	case !opIs(tokens[c.i], ")"):
		return nil, 0, false, notConstantString("NOT_CONSTANT",
			"To be considered constant the expression must not depend on any columns, contain a subquery, "+
				"or invoke a non deterministic function such as rand().")
	case isNull:
		return nil, 0, false, notConstantString("NULL", "The expression evaluates to NULL.")
	}
	parts, err = parseIdentifier(text)
	return parts, c.i + 1, true, err
}

func notConstantString(subclass, why string) error {
	return sqlerror.New("NOT_A_CONSTANT_STRING."+subclass, "42601",
		"The expression used for the routine or clause IDENTIFIER must be a constant STRING which is NOT NULL. %s", why)
}

func opIs(t Token, op string) bool { return t.Kind == Op && t.Text == op }

// parseIdentifier parses a dotted name from the text of an IDENTIFIER clause.
func parseIdentifier(text string) (parts []string, err error) {
	tokens, err := Lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{src: text, tokens: tokens}
	defer p.recover(&err)
	parts = p.name()
	p.expectEnd()
	return parts, nil
}

// constantText evaluates a constant text, token by token.
type constantText struct {
	tokens []Token
	i      int
	value  MarkerValue
	err    error
}

// join evaluates texts that are joined by ||. It stops at the first token that it
// cannot evaluate.
func (c *constantText) join() (text string, isNull bool) {
	for {
		one, null := c.term()
		text, isNull = text+one, isNull || null
		if c.err != nil || !opIs(c.tokens[c.i], "||") {
			return text, isNull
		}
		c.i++
	}
}

func (c *constantText) term() (text string, isNull bool) {
	t := c.tokens[c.i]
	switch {
	case t.Kind == StringToken:
		for ; c.tokens[c.i].Kind == StringToken; c.i++ {
			text += c.tokens[c.i].Text
		}
		return text, false
	case opIs(t, "?"):
		c.i++
		return c.marker("")
	case opIs(t, ":") && isMarkerName(t, c.tokens[c.i+1]):
		c.i += 2
		return c.marker(c.tokens[c.i-1].Text)
	case t.Kind == Word && t.Upper == "CONCAT" && opIs(c.tokens[c.i+1], "("):
		return c.concat()
	}
	return "", false
}

func (c *constantText) concat() (text string, isNull bool) {
	for c.i++; c.err == nil && !opIs(c.tokens[c.i], ")"); {
		c.i++ // the parenthesis or a comma
		one, null := c.join()
		text, isNull = text+one, isNull || null
		if next := c.tokens[c.i]; !opIs(next, ",") && !opIs(next, ")") {
			return text, isNull // not a constant: the clause does not end here
		}
	}
	c.i++
	return text, isNull
}

func (c *constantText) marker(name string) (text string, isNull bool) {
	value, err := c.value(name)
	switch {
	case err != nil:
		c.err = err
		return "", false
	case value == nil:
		return "", true
	}
	return *value, false
}

// isMarkerName reports whether name follows a colon as a parameter's name: :name, or
// :`name` in back-quotes.
func isMarkerName(colon, name Token) bool {
	return (name.Kind == Word || name.Kind == QuotedWord) && name.Start == colon.End
}
