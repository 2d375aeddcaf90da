package lql

import "strings"

// Name parses a name, such as the name after FROM or ALIAS. what describes it in an
// error.
func (p *Parser) Name(what string) (string, *Error) {
	if p.tok.kind != tokenName || p.reserved(p.tok) {
		return "", p.errorf(p.tok.pos, "expected %s, not %s", what, p.tok.describe())
	}
	text := p.tok.text
	return text, p.advance()
}

// Integer parses digits with or without a minus. errorAt returns an error at their
// position.
func (p *Parser) Integer() (text string, errorAt func(reason string) *Error, err *Error) {
	pos := p.tok.pos
	errorAt = func(reason string) *Error { return p.errorf(pos, "%s", reason) }
	negative, err := p.Accept("-")
	if err != nil {
		return "", errorAt, err
	}
	if p.tok.kind != tokenNumber {
		return "", errorAt, p.errorf(pos, "expected an integer, not %s", p.tok.describe())
	}
	text = p.tok.text
	if negative {
		text = "-" + text
	}
	return text, errorAt, p.advance()
}

// Settings skips key = value, ..., or a JSON object, up to the end or the word until,
// and returns their text.
func (p *Parser) Settings(until string) (string, *Error) {
	start, depth, empty := p.tok.pos, 0, true
	for {
		switch {
		case p.tok.is("{"), p.tok.is("["):
			depth++
		case p.tok.is("}"), p.tok.is("]"):
			depth--
		}
		if depth < 0 || p.tok.kind == tokenEnd && (depth > 0 || empty) || depth > p.limits.Depth {
			return "", p.errorf(p.tok.pos, "expected settings after WITH, not %s", p.tok.describe())
		}
		if depth == 0 && (p.tok.kind == tokenEnd || p.tok.is(until) || p.tok.is(";")) {
			return strings.TrimSpace(p.src[start:p.tok.pos]), nil
		}
		if depth == 0 && p.reserved(p.tok) {
			return "", p.errorf(p.tok.pos, "expected settings after WITH, not %s", p.tok.describe())
		}
		empty = false
		if err := p.advance(); err != nil {
			return "", err
		}
	}
}
