package lql

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenString
	tokenNumber
	tokenSymbol
)

// token is one token of the text.
type token struct {
	kind tokenKind
	// text is the text of a word, symbol or number, or the content of a string.
	text string
	// name is set for names that are quoted or have a key.
	name name
	// quoted means that the name was in quotes, so it is not a keyword.
	quoted bool
	pos    int
	// newLine means that a line ended before the token.
	newLine bool
	// adjoins means that "(" follows without a space.
	adjoins bool
}

// name is the name of a column or field.
type name struct {
	// exact is the whole name, if it can be the name of one column. It is empty if the
	// parts are quoted separately, because then the name can only be a key of a map.
	exact string
	// left and key are the parts before and after the first dot.
	left, key string
	keyed     bool
}

// is tests for a keyword or symbol, ignoring case.
func (t token) is(text string) bool {
	return (t.kind == tokenSymbol || t.kind == tokenName && !t.quoted) && strings.EqualFold(t.text, text)
}

func (t token) isAny(texts ...string) bool {
	for _, text := range texts {
		if t.is(text) {
			return true
		}
	}
	return false
}

// describe describes a token for an error.
func (t token) describe() string {
	switch t.kind {
	case tokenEnd:
		return "the end"
	case tokenString:
		return "the string " + short(t.text)
	default:
		return short(t.text)
	}
}

func short(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "..."
	}
	return fmt.Sprintf("%q", s)
}

// Error is an error in a text, with its position.
type Error struct {
	// Offset counts bytes from 0. Line and Column count from 1, columns in
	// characters.
	Offset, Line, Column int
	Reason               string
}

func (e *Error) Error() string {
	if e.Line == 1 {
		return fmt.Sprintf("column %d: %s", e.Column, e.Reason)
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

func errorAt(src string, pos int, format string, args ...any) *Error {
	before := src[:pos]
	lineStart := strings.LastIndexByte(before, '\n') + 1
	return &Error{
		Offset: pos,
		Line:   strings.Count(before, "\n") + 1,
		Column: utf8.RuneCountInString(before[lineStart:]) + 1,
		Reason: fmt.Sprintf(format, args...),
	}
}
