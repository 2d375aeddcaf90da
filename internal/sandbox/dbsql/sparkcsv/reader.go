package sparkcsv

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
)

// Reader reads the records of one file.
type Reader struct {
	options   Options
	in        *bufio.Reader
	tokenizer *tokenizer
	// plain reads most records; nil if the options do not allow it.
	plain *plainParser
	line  []byte
	// values is the result of Read for a record of the tokenizer.
	values [][]byte
}

// NewReader returns a reader of a file's records. It skips a byte order mark.
func NewReader(r io.Reader, o Options) *Reader {
	if strings.HasPrefix(o.Encoding, "ISO") || strings.HasPrefix(o.Encoding, "LATIN") {
		r = &latin1{r: r}
	}
	in := bufio.NewReaderSize(r, 1<<20)
	if head, err := in.Peek(3); err == nil && bytes.Equal(head, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3) // cannot fail after Peek
	}
	out := &Reader{options: o, in: in, tokenizer: &tokenizer{options: o}}
	if o.MultiLine {
		out.tokenizer.in = in
		if o.LineSep != "" {
			out.tokenizer.sep1 = o.LineSep[0]
		} else {
			out.tokenizer.detectLineSeparator()
		}
		out.plain = newPlainParser(&out.options, out.tokenizer.sep1, out.tokenizer.sep2)
	}
	return out
}

// Read returns the next record's values, or io.EOF. The values are valid until the next
// call.
func (r *Reader) Read() ([][]byte, error) {
	if r.plain != nil {
		if ok, err := r.readPlain(); err != nil {
			return nil, err
		} else if ok {
			return r.plain.values, nil
		}
	}
	row, err := r.readAny()
	if err != nil {
		return nil, err
	}
	r.values = r.values[:0]
	for _, v := range row {
		r.values = append(r.values, []byte(v))
	}
	return r.values, nil
}

// readAny reads a record with the tokenizer.
func (r *Reader) readAny() ([]string, error) {
	var row []string
	if r.options.MultiLine {
		row = r.tokenizer.read()
		if row == nil {
			if r.tokenizer.err != nil && !errors.Is(r.tokenizer.err, io.EOF) {
				return nil, r.tokenizer.err
			}
			return nil, io.EOF
		}
	} else {
		var err error
		if row, err = r.readLine(); err != nil {
			return nil, err
		}
	}
	if len(row) > r.options.MaxColumns {
		return nil, sqlerror.New(
			"MALFORMED_CSV_RECORD",
			"KD000",
			"Malformed CSV record: it has %d columns, more than the option maxColumns (%d) allows.",
			len(row),
			r.options.MaxColumns,
		)
	}
	for i, v := range row {
		if !utf8.ValidString(v) {
			row[i] = strings.ToValidUTF8(v, "\ufffd")
		}
	}
	return row, nil
}

// readLine reads one record from one line, even if quotes are open at its end. It
// skips lines that hold only spaces.
func (r *Reader) readLine() ([]string, error) {
	for {
		line, err := r.nextLine()
		if err != nil {
			return nil, err
		}
		blank := len(bytes.TrimFunc(line, func(c rune) bool { return c <= ' ' })) == 0
		if blank || r.options.Comment != 0 && line[0] == r.options.Comment {
			continue
		}
		r.tokenizer.line, r.tokenizer.ch, r.tokenizer.prev, r.tokenizer.done = line, 0, 0, false
		if row := r.tokenizer.read(); row != nil {
			return row, nil
		}
	}
}

// nextLine reads up to \n, \r or \r\n, or up to the option lineSep.
func (r *Reader) nextLine() ([]byte, error) {
	r.line = r.line[:0]
	some := false
	for {
		c, err := r.in.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) && some {
				return r.line, nil
			}
			return nil, err
		}
		some = true
		switch {
		case r.options.LineSep != "" && c == r.options.LineSep[0], r.options.LineSep == "" && c == '\n':
			return r.line, nil
		case r.options.LineSep == "" && c == '\r':
			if p, err := r.in.Peek(1); err == nil && p[0] == '\n' {
				_, _ = r.in.ReadByte() // cannot fail after Peek
			}
			return r.line, nil
		}
		r.line = append(r.line, c)
	}
}

// Malformed is the error of the mode FAILFAST for a malformed record.
func Malformed(row [][]byte, sep byte) error {
	record := bytes.Join(row, []byte(string(rune(sep))))
	return sqlerror.New(
		"MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
		"22023",
		"Malformed records are detected in record parsing: [%s]. Parse Mode: FAILFAST. To process malformed records as null result, try "+
			"setting the option 'mode' as 'PERMISSIVE'.",
		record,
	)
}

// Header returns the column names for a file's first record: its values, or _c0,
// _c1, ... without a header. Empty and duplicate names get their position.
func Header(row []string, o Options) []string {
	names := make([]string, len(row))
	count := map[string]int{}
	for _, v := range row {
		count[strings.ToLower(v)]++
	}
	for i, v := range row {
		switch {
		case !o.Header, v == "" || v == o.NullValue:
			names[i] = fmt.Sprintf("_c%d", i)
		case count[strings.ToLower(v)] > 1:
			names[i] = fmt.Sprintf("%s%d", v, i)
		default:
			names[i] = v
		}
	}
	return names
}

// IsNull reports whether a value is NULL. It is if it equals the option nullValue,
// quoted or not.
func (o *Options) IsNull(v []byte) bool { return string(v) == o.NullValue }

// latin1 converts ISO-8859-1 to UTF-8.
type latin1 struct {
	r    io.Reader
	rest []byte
	buf  [4096]byte
}

func (l *latin1) Read(p []byte) (int, error) {
	for len(l.rest) == 0 {
		n, err := l.r.Read(l.buf[:])
		for _, c := range l.buf[:n] {
			l.rest = utf8.AppendRune(l.rest, rune(c))
		}
		if n == 0 && err != nil {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}
