package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// formatTime formats a date or timestamp with a Java pattern.
func (b *binder) formatTime(x string, t *types.Type, pattern string) string {
	local := b.toLocalTime(x, t)
	var parts []string
	var run strings.Builder // the strftime format collected so far
	flush := func() {
		if run.Len() > 0 {
			parts = append(parts, fmt.Sprintf("strftime(%s, %s)", local, StringLiteral(run.String())))
			run.Reset()
		}
	}
	for _, p := range patternParts(pattern) {
		if p.literal {
			run.WriteString(strings.ReplaceAll(p.text, "%", "%%"))
			continue
		}
		if s, ok := strftimeSpecifiers[p.text]; ok {
			run.WriteString(s)
			continue
		}
		flush()
		parts = append(parts, b.formatTimePart(local, x, t, p.text, pattern))
	}
	flush()
	switch len(parts) {
	case 0:
		return "''"
	case 1:
		return parts[0]
	}
	return "(" + strings.Join(parts, " || ") + ")"
}

// strftimeSpecifiers maps runs of pattern letters to DuckDB's specifiers.
var strftimeSpecifiers = map[string]string{
	"yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "MM": "%m", "M": "%-m", "dd": "%d", "d": "%-d", "HH": "%H", "H": "%-H",
	"hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S", "SSSSSS": "%f", "SSS": "%g",
	"a": "%p", "EEEE": "%A", "EEE": "%a", "EE": "%a", "E": "%a", "MMMM": "%B", "MMM": "%b", "LLLL": "%B", "LLL": "%b", "DDD": "%j", "D": "%-j",
}

func (b *binder) formatTimePart(local, x string, t *types.Type, p, pattern string) string {
	switch p[0] {
	case 'S':
		if len(p) <= 6 {
			return fmt.Sprintf("left(strftime(%s, '%%f'), %d)", local, len(p))
		}
		if len(p) <= 9 {
			return fmt.Sprintf("(strftime(%s, '%%f') || '%s')", local, strings.Repeat("0", len(p)-6))
		}
	case 'y', 'u':
		return fmt.Sprintf("CAST(year(%s) AS VARCHAR)", local)
	case 'Q', 'q':
		if len(p) == 1 {
			return fmt.Sprintf("CAST(quarter(%s) AS VARCHAR)", local)
		}
	case 'X', 'x', 'Z':
		if t.Kind == types.Timestamp {
			return b.formatOffset(local, x, p)
		}
	case 'V', 'z':
		if t.Kind == types.Timestamp && (p == "VV" || p == "z" && b.utc()) {
			return StringLiteral(b.zone())
		}
	}
	panic(
		sqlerror.New(
			"INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER",
			"22007",
			"Unrecognized datetime pattern: %s. Illegal pattern character found in datetime pattern: '%s'. Please provide legal character.",
			pattern,
			p,
		),
	)
}

// formatOffset formats the session zone's offset at a timestamp.
func (b *binder) formatOffset(local, x, p string) string {
	if b.utc() {
		switch {
		case p[0] == 'X':
			return "'Z'"
		case p == "xxx":
			return "'+00:00'"
		case p[0] == 'Z' && len(p) < 4, p == "xx":
			return "'+0000'"
		}
	}
	minutes := fmt.Sprintf("CAST((epoch_us(%s) - epoch_us(%s)) // 60000000 AS BIGINT)", local, x)
	format := "%s%02d:%02d"
	if p == "XX" || p == "xx" || p[0] == 'Z' && len(p) < 4 {
		format = "%s%02d%02d"
	}
	text := fmt.Sprintf("printf('%[2]s', CASE WHEN %[1]s < 0 THEN '-' ELSE '+' END, abs(%[1]s) // 60, abs(%[1]s) %% 60)", minutes, format)
	if p[0] == 'X' {
		return fmt.Sprintf("CASE WHEN %s = 0 THEN 'Z' ELSE %s END", minutes, text)
	}
	return text
}

type patternPart struct {
	text    string
	literal bool
}

// patternParts splits a Java pattern into runs of letters and literal text. Optional
// sections are always included, since every field has a value.
func patternParts(s string) []patternPart {
	var out []patternPart
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '[' || c == ']':
			i++
		case c == '\'':
			text, n := quotedLiteral(s[i:])
			out = append(out, patternPart{text, true})
			i += n
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			j := i
			for j < len(s) && s[j] == c {
				j++
			}
			out = append(out, patternPart{text: s[i:j]})
			i = j
		default:
			out = append(out, patternPart{s[i : i+1], true})
			i++
		}
	}
	return out
}

// quotedLiteral parses '...', in which ” is a quote, and returns its length.
func quotedLiteral(s string) (string, int) {
	if strings.HasPrefix(s, "''") {
		return "'", 2
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), i + 1
	}
	panic(sqlerror.New("INVALID_DATETIME_PATTERN.LENGTH", "22007", "Unrecognized datetime pattern: %s. A quote is not closed.", s))
}
