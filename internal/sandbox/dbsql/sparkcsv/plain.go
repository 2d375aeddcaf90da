package sparkcsv

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// plainParser reads the records that need no knowledge of the tokenizer's state: values
// without quotes, and quoted values in which each quote is doubled and whose closing quote
// is followed by a delimiter or the end of the line. Almost all records are like that. It
// leaves all others to the tokenizer, which reads a record from its beginning.
type plainParser struct {
	sep, quote byte
	// doubled holds the values with doubled quotes.
	doubled    []byte
	null       []byte
	empty      []byte
	keepsNUL   bool
	maxColumns int
	values     [][]byte
}

// newPlainParser returns nil if the options give quotes, spaces or line ends another
// meaning than the parser's.
func newPlainParser(o *Options, sep1, sep2 byte) *plainParser {
	special := []byte{o.Sep, o.Quote, newline}
	switch {
	case !o.MultiLine, sep1 != newline, sep2 != 0, o.TrimLeft, o.TrimRight, o.Comment != 0,
		o.Quote == 0, o.Escape != o.Quote, o.EscapeEscape != 0 && o.EscapeEscape != o.Quote:
		return nil
	case o.Sep == o.Quote, o.Sep == newline, o.Quote == newline, !utf8.Valid(special):
		return nil
	}
	return &plainParser{
		sep: o.Sep, quote: o.Quote, null: []byte(o.NullValue), empty: []byte(o.EmptyValue),
		keepsNUL: o.EscapeEscape != 0, maxColumns: o.MaxColumns,
	}
}

// outcome is the result of a parse.
type outcome int

const (
	complete   outcome = iota
	incomplete         // the record may be plain, but its end is not in the text
	irregular          // the record is not plain
)

// parse reads a text's first record into p.values, and returns the length of the record
// and of the empty lines before it.
func (p *plainParser) parse(text []byte) (length int, _ outcome) {
	at := 0
	for at < len(text) && text[at] == newline {
		at++
	}
	begin := at
	p.values, p.doubled = p.values[:0], p.doubled[:0]
	for {
		if at == len(text) {
			return 0, incomplete
		}
		var v []byte
		switch c := text[at]; c {
		case p.sep, newline:
			v = p.null
		case p.quote:
			var how outcome
			if v, at, how = p.quoted(text, at+1); how != complete {
				return 0, how
			}
		default:
			from := at
			for at++; at < len(text) && text[at] != p.sep && text[at] != newline; {
				at++
			}
			if at == len(text) {
				return 0, incomplete
			}
			v = text[from:at]
		}
		p.values = append(p.values, v)
		at++
		if text[at-1] != newline {
			continue
		}
		if len(p.values) > p.maxColumns || !utf8.Valid(text[begin:at]) {
			return 0, irregular
		}
		return at, complete
	}
}

// quoted reads a value after its opening quote. It returns the value, and the position of
// the delimiter or line end that follows.
func (p *plainParser) quoted(text []byte, from int) (value []byte, end int, _ outcome) {
	kept := len(p.doubled)
	for at := from; ; {
		n := bytes.IndexByte(text[at:], p.quote)
		if n < 0 || at+n+1 == len(text) {
			return nil, 0, incomplete
		}
		at += n + 1
		switch text[at] {
		case p.sep, newline:
			if len(p.doubled) > kept {
				p.doubled = append(p.doubled, text[from:at-1]...)
				value = p.doubled[kept:]
				if !p.keepsNUL && bytes.IndexByte(value, 0) >= 0 {
					return nil, 0, irregular
				}
			} else if value = text[from : at-1]; len(value) == 0 {
				value = p.empty
			}
			return value, at, complete
		case p.quote:
			p.doubled = append(p.doubled, text[from:at]...)
			at++
			from = at
		default:
			return nil, 0, irregular
		}
	}
}

// readPlain reads the next record into r.plain.values, if it is plain and fits into the
// buffer.
func (r *Reader) readPlain() (ok bool, err error) {
	for want := 1; ; {
		text, err := r.in.Peek(max(want, r.in.Buffered()))
		last := len(text) == r.in.Size() || errors.Is(err, io.EOF) // no longer text can come
		if err != nil && !last {
			return false, err
		}
		switch n, how := r.plain.parse(text); {
		case how == complete:
			r.tokenizer.ch = newline // the tokenizer's state after a record
			_, err = r.in.Discard(n)
			return true, err
		case how == irregular || last:
			return false, nil
		}
		want = min(2*len(text)+1, r.in.Size())
	}
}
