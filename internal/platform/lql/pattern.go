package lql

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// pattern is the right side of LIKE. * and % match any characters except a slash, **
// matches any characters, ? matches one character except a slash, and [a-z] and [^a-z]
// match one character of a class. A backslash escapes the next character.
type pattern struct {
	atoms []atom
	// plain means that the pattern has only literal text and single stars; parts is
	// the text between the stars.
	plain bool
	parts []string
	bad   bool
}

type atomKind uint8

const (
	atomRune atomKind = iota
	atomAny
	atomClass
	atomStar
	atomDoubleStar
)

type atom struct {
	kind    atomKind
	r       rune
	negated bool
	// ranges are pairs of runes.
	ranges []rune
}

func newPattern(text string) *pattern {
	p := &pattern{plain: true}
	rest := strings.ReplaceAll(text, "%", "*")
	part := strings.Builder{}
	for rest != "" {
		r, n := utf8.DecodeRuneInString(rest)
		rest = rest[n:]
		switch r {
		case '*':
			if last := len(p.atoms) - 1; last >= 0 && p.atoms[last].kind >= atomStar {
				p.atoms[last].kind, p.plain = atomDoubleStar, false
				continue
			}
			p.atoms = append(p.atoms, atom{kind: atomStar})
			p.parts = append(p.parts, part.String())
			part.Reset()
			continue
		case '?':
			p.atoms, p.plain = append(p.atoms, atom{kind: atomAny}), false
			continue
		case '[':
			class, after, ok := readClass(rest)
			if !ok {
				return &pattern{bad: true}
			}
			p.atoms, p.plain, rest = append(p.atoms, class), false, after
			continue
		case '\\':
			if rest == "" {
				return &pattern{bad: true}
			}
			r, n = utf8.DecodeRuneInString(rest)
			rest = rest[n:]
		}
		p.atoms = append(p.atoms, atom{kind: atomRune, r: r})
		part.WriteRune(r)
	}
	p.parts = append(p.parts, part.String())
	return p
}

// readClass parses a class of characters after its opening bracket.
func readClass(s string) (a atom, rest string, ok bool) {
	a.kind = atomClass
	s, a.negated = cutPrefix(s, "^")
	one := func() (rune, bool) {
		if strings.HasPrefix(s, `\`) {
			s = s[1:]
		} else if s == "" || s[0] == ']' || s[0] == '-' {
			return 0, false
		}
		if s == "" {
			return 0, false
		}
		r, n := utf8.DecodeRuneInString(s)
		s = s[n:]
		return r, true
	}
	for len(a.ranges) == 0 || !strings.HasPrefix(s, "]") {
		low, ok := one()
		if !ok {
			return a, "", false
		}
		high := low
		var dash bool
		if s, dash = cutPrefix(s, "-"); dash {
			if high, ok = one(); !ok {
				return a, "", false
			}
		}
		a.ranges = append(a.ranges, low, high)
	}
	return a, s[1:], true
}

func cutPrefix(s, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(s, prefix)
	return rest, ok
}

func (a atom) matches(r rune) bool {
	switch a.kind {
	case atomRune:
		return a.r == r
	case atomAny, atomStar:
		return r != '/'
	case atomClass:
		for i := 0; i+1 < len(a.ranges); i += 2 {
			if a.ranges[i] <= r && r <= a.ranges[i+1] {
				return !a.negated
			}
		}
		return a.negated
	default:
		return true
	}
}

// match reports whether the pattern matches the whole text; ok is false if the pattern is
// invalid. The time is proportional to the product of both lengths.
func (p *pattern) match(s string) (matches, ok bool) {
	if p.bad {
		return false, false
	}
	if p.plain && (len(p.parts) == 1 || strings.IndexByte(s, '/') < 0) {
		return matchParts(s, p.parts), true
	}
	// at[i] means that the text so far matches the atoms before atom i.
	at, next := make([]bool, len(p.atoms)+1), make([]bool, len(p.atoms)+1)
	p.reach(at, 0)
	for _, r := range s {
		clear(next)
		for i, a := range p.atoms {
			switch {
			case !at[i] || !a.matches(r):
			case a.kind >= atomStar:
				p.reach(next, i)
			default:
				p.reach(next, i+1)
			}
		}
		at, next = next, at
		if !slices.Contains(at, true) {
			return false, true
		}
	}
	return at[len(p.atoms)], true
}

// reach marks atom i, and the atoms after stars, because a star also matches an empty
// text.
func (p *pattern) reach(at []bool, i int) {
	for {
		at[i] = true
		if i == len(p.atoms) || p.atoms[i].kind < atomStar {
			return
		}
		i++
	}
}

// matchParts matches a plain pattern, given the parts between its stars.
func matchParts(s string, parts []string) bool {
	if len(parts) == 1 {
		return s == parts[0]
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}
