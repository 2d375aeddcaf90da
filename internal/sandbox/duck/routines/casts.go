package routines

import (
	"database/sql/driver"
	"sync"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/sparkvalue"
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

func castInt(a []driver.Value) (any, error) {
	s, to, mode := a[0].(string), a[1].(string), a[2].(string)
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

func castFloat(a []driver.Value) (any, error) {
	s, to, mode := a[0].(string), a[1].(string), a[2].(string)
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

func castDecimal(a []driver.Value) (any, error) {
	s, precision, scale, mode := a[0].(string), int(a[1].(int32)), int(a[2].(int32)), a[3].(string)
	v, fits, ok := sparkvalue.RoundDecimal(s, precision, scale)
	switch {
	case !ok:
		return bad(mode, s, decimalName(precision, scale))
	case !fits && mode == "a":
		return nil, fail("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003", "The %s rounded half up from cannot be represented as Decimal(%d, %d). If necessary set \"ansi_mode\" to \"false\" to bypass this error, and return NULL instead.", s, precision, scale)
	case !fits:
		return nil, nil
	}
	return v, nil
}

func castBool(a []driver.Value) (any, error) {
	v, ok := sparkvalue.ParseBool(a[0].(string))
	if !ok {
		return bad(a[1].(string), a[0].(string), "BOOLEAN")
	}
	return v, nil
}

func castDate(a []driver.Value) (any, error) {
	days, ok := sparkvalue.ParseDate(a[0].(string))
	if !ok {
		return bad(a[1].(string), a[0].(string), "DATE")
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
		return l.(*time.Location), nil
	}
	l, err := sparkvalue.Zone(name)
	if err == nil {
		zones.Store(name, l)
	}
	return l, err
}

// castTimestamp reads a TIMESTAMP in a zone, or a TIMESTAMP_NTZ where the zone
// is empty: then a zone in the text is passed over.
func castTimestamp(a []driver.Value) (any, error) {
	s, zoneName, mode := a[0].(string), a[1].(string), a[2].(string)
	to := "TIMESTAMP"
	if zoneName == "" {
		to = "TIMESTAMP_NTZ"
	}
	loc, err := zone(zoneName)
	if err != nil {
		return nil, fail("INVALID_CONF_VALUE.TIME_ZONE", "22022", "The value '%s' in the config \"spark.sql.session.timeZone\" is invalid.", zoneName)
	}
	micros, zoned, ok := sparkvalue.ParseTimestamp(s, loc, time.Time{})
	if ok && zoned && zoneName == "" {
		micros, ok = sparkvalue.WallClock(s)
	}
	if !ok {
		return bad(mode, s, to)
	}
	return micros, nil
}

func parsePattern(a []driver.Value) (any, error) {
	s, pattern, zoneName, mode := a[0].(string), a[1].(string), a[2].(string), a[3].(string)
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
	return nil, fail("CANNOT_PARSE_TIMESTAMP", "22007", "Text '%s' could not be parsed with the pattern '%s'. Use `try_to_timestamp` to tolerate invalid input string and return NULL instead.", s, pattern)
}
