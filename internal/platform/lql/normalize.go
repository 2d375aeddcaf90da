package lql

import "strings"

// Normalize writes a text in one way: without comments, with one space where there was
// white space, with spaces around comparisons and behind commas, and with reserved words
// in capitals. A line ends only where that has a meaning: before the operator that begins
// the next condition of a list.
func Normalize(text string, d Dialect) (string, *Error) {
	p := Parser{lexer: lexer{dialect: d, src: text}}
	var b strings.Builder
	var prior token
	// end is where the token before ended, wasKeyword is whether it was a reserved word,
	// and settings is whether WITH was read.
	end, wasKeyword, settings := 0, false, false
	for {
		t, err := p.next()
		if err != nil {
			return "", err
		}
		if t.kind == tokenEnd {
			return b.String(), nil
		}
		written := text[t.pos:p.pos]
		keyword := p.reserved(t) && !settings
		if keyword {
			written = strings.ToUpper(written)
		}
		if b.Len() > 0 {
			b.WriteString(spaceBetween(prior, t, end < t.pos || wasKeyword))
		}
		b.WriteString(written)
		wasKeyword = keyword
		settings = settings || t.is("with")
		prior, end = t, p.pos
	}
}

// spaceBetween is the white space between two tokens. apart tells whether they had any.
func spaceBetween(prior, t token, apart bool) string {
	switch {
	case t.newLine && t.isAny("and", "or", "not", "&&", "||", "*", "/", "%"):
		return "\n"
	case t.kind == tokenSymbol && t.isAny(")", "]", ",", ";"):
		return ""
	case prior.kind == tokenSymbol && prior.isAny("(", "["):
		return ""
	case prior.kind == tokenSymbol && prior.is(","), isComparison(prior), isComparison(t), apart:
		return " "
	}
	return ""
}

func isComparison(t token) bool {
	return t.kind == tokenSymbol && t.isAny("==", "!=", "<>", "<=", ">=", "=", "<", ">", "&&", "||")
}
