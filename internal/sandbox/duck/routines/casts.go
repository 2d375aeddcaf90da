package routines

import (
	"sync"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkvalue"
)

func params(ts ...duckdb.Type) []duckdb.Type { return ts }

// casts read text. Their last argument is the mode: a(nsi), l(egacy) or t(ry).
var casts = map[string]*routine{
	"dbx_int":             {params(text, text, text), long, castInt},
	"dbx_float":           {params(text, text, text), double, castFloat},
	"dbx_decimal":         {params(text, whole, whole, text), text, castDecimal},
	"dbx_bool":            {params(text, text), truth, castBool},
	"dbx_date":            {params(text, text), whole, castDate},
	"dbx_timestamp":       {params(text, text, text), long, castTimestamp},
	"dbx_parse_timestamp": {params(text, text, text, text), long, parsePattern},
}

func castInt(a values) (any, error) {
	s, to, mode := a.text(0), a.text(1), a.text(2)
	bits := map[string]int{"TINYINT": 8, "SMALLINT": 16, "INT": 32}[to]
	if bits == 0 {
		bits = 64
	}
	n, ok := sparkvalue.ParseInt(s, bits, mode == "l")
	if !ok {
		return bad(mode, s, to)
	}
	return n, nil
}

func castFloat(a values) (any, error) {
	s, to, mode := a.text(0), a.text(1), a.text(2)
	bits := 64
	if to == "FLOAT" {
		bits = 32
	}
	f, ok := sparkvalue.ParseFloat(s, bits)
	if !ok {
		return bad(mode, s, to)
	}
	return f, nil
}

func castDecimal(a values) (any, error) {
	s, precision, scale, mode := a.text(0), int(a.whole(1)), int(a.whole(2)), a.text(3)
	v, fits, ok := sparkvalue.RoundDecimal(s, precision, scale)
	switch {
	case !ok:
		return bad(mode, s, decimalName(precision, scale))
	case !fits && mode == "a":
		return nil, fail(
			"NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
			"22003",
			"The %s rounded half up from cannot be represented as Decimal(%d, %d). If necessary set \"ansi_mode\" to \"false\" to bypass this error, and return NULL instead.",
			s,
			precision,
			scale,
		)
	case !fits:
		return nil, nil
	}
	return v, nil
}

func castBool(a values) (any, error) {
	v, ok := sparkvalue.ParseBool(a.text(0))
	if !ok {
		return bad(a.text(1), a.text(0), "BOOLEAN")
	}
	return v, nil
}

func castDate(a values) (any, error) {
	days, ok := sparkvalue.ParseDate(a.text(0))
	if !ok {
		return bad(a.text(1), a.text(0), "DATE")
	}
	return int32(days), nil
}

// zones caches locations, which are looked up for every row.
var zones sync.Map

func zone(name string) (*time.Location, error) {
	if name == "UTC" || name == "" {
		return time.UTC, nil
	}
	if l, ok := zones.Load(name); ok {
		return as[*time.Location](l), nil
	}
	l, err := sparkvalue.Zone(name)
	if err == nil {
		zones.Store(name, l)
	}
	return l, err
}

// castTimestamp reads a TIMESTAMP in a zone, or a TIMESTAMP_NTZ where the zone
// is empty: then a zone in the text is passed over.
func castTimestamp(a values) (any, error) {
	s, zoneName, mode := a.text(0), a.text(1), a.text(2)
	to := "TIMESTAMP"
	if zoneName == "" {
		to = "TIMESTAMP_NTZ"
	}
	loc, err := zone(zoneName)
	if err != nil {
		return nil, fail(
			"INVALID_CONF_VALUE.TIME_ZONE",
			"22022",
			"The value '%s' in the config \"spark.sql.session.timeZone\" is invalid.",
			zoneName,
		)
	}
	micros, zoned, ok := sparkvalue.ParseTimestamp(s, loc, time.Time{})
	if ok && zoned && zoneName == "" {
		micros, ok = sparkvalue.ParseWallClock(s)
	}
	if !ok {
		return bad(mode, s, to)
	}
	return micros, nil
}

func parsePattern(a values) (any, error) {
	s, pattern, zoneName, mode := a.text(0), a.text(1), a.text(2), a.text(3)
	loc, err := zone(zoneName)
	if err != nil {
		return nil, fail("INVALID_PARAMETER_VALUE.ZONE", "22023", "The time zone '%s' is not known.", zoneName)
	}
	micros, known, ok := sparkvalue.ParsePattern(s, pattern, loc)
	switch {
	case !known:
		return nil, fail("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", "22007", "Unrecognized datetime pattern: %s.", pattern)
	case ok:
		return micros, nil
	case mode != "a":
		return nil, nil
	}
	return nil, fail(
		"CANNOT_PARSE_TIMESTAMP",
		"22007",
		"Text '%s' could not be parsed with the pattern '%s'. Use `try_to_timestamp` to tolerate invalid input string and return NULL instead.",
		s,
		pattern,
	)
}
