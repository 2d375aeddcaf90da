package lql

import "strings"

// Name reads a name, such as those after FROM and ALIAS; what says in an error
// which one.
func (p *Parser) Name(what string) (string, *Error) {
	if p.tok.kind != tokenName || p.reserved(p.tok) {
		return "", p.errorf(p.tok.pos, "expected %s, not %s", what, p.tok.describe())
	}
	text := p.tok.text
	return text, p.advance()
}

// Integer reads digits with or without a minus. Fault makes an error at their
// place.
func (p *Parser) Integer() (text string, fault func(reason string) *Error, err *Error) {
	pos := p.tok.pos
	fault = func(reason string) *Error { return p.errorf(pos, "%s", reason) }
	negative, err := p.Accept("-")
	if err != nil {
		return "", fault, err
	}
	if p.tok.kind != tokenNumber {
		return "", fault, p.errorf(pos, "expected an integer, not %s", p.tok.describe())
	}
	text = p.tok.text
	if negative {
		text = "-" + text
	}
	return text, fault, p.advance()
}

// Settings passes over key = value, ..., or a JSON object, up to the end or a
// word, and gives their text.
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
