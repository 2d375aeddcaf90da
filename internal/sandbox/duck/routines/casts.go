package routines

import (
	"sync"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkvalue"
)

func params(ts ...duckdb.Type) []duckdb.Type { return ts }

// casts are casts from text. Their last argument is the mode: a (ANSI), l (legacy) or
// t (try).
var casts = map[string]*routine{
	"dbx_int":       {params(text, text, text), long, castInt},
	"dbx_float":     {params(text, text, text), double, castFloat},
	"dbx_decimal":   {params(text, whole, whole, text), text, castDecimal},
	"dbx_bool":      {params(text, text), truth, castBool},
	"dbx_date":      {params(text, text), whole, castDate},
	"dbx_timestamp": {params(text, text, text), long, castTimestamp},
}

func castInt(a arguments) (any, error) {
	s, to, mode := a.stringAt(0), a.stringAt(1), a.stringAt(2)
	bits := map[string]int{"TINYINT": 8, "SMALLINT": 16, "INT": 32}[to]
	if bits == 0 {
		bits = 64
	}
	n, ok := sparkvalue.ParseInt(s, bits, mode == "l")
	if !ok {
		return malformed(mode, s, to)
	}
	return n, nil
}

func castFloat(a arguments) (any, error) {
	s, to, mode := a.stringAt(0), a.stringAt(1), a.stringAt(2)
	bits := 64
	if to == "FLOAT" {
		bits = 32
	}
	f, ok := sparkvalue.ParseFloat(s, bits)
	if !ok {
		return malformed(mode, s, to)
	}
	return f, nil
}

func castDecimal(a arguments) (any, error) {
	s, precision, scale, mode := a.stringAt(0), int(a.int32At(1)), int(a.int32At(2)), a.stringAt(3)
	v, fits, ok := sparkvalue.RoundDecimal(s, precision, scale)
	switch {
	case !ok:
		return malformed(mode, s, decimalName(precision, scale))
	case !fits && mode == "a":
		return nil, raise(
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

func castBool(a arguments) (any, error) {
	v, ok := sparkvalue.ParseBool(a.stringAt(0))
	if !ok {
		return malformed(a.stringAt(1), a.stringAt(0), "BOOLEAN")
	}
	return v, nil
}

func castDate(a arguments) (any, error) {
	days, ok := sparkvalue.ParseDate(a.stringAt(0))
	if !ok {
		return malformed(a.stringAt(1), a.stringAt(0), "DATE")
	}
	return int32(days), nil
}

// zones caches time zones, which are looked up for every row.
var zones sync.Map

func zone(name string) (*time.Location, error) {
	if name == "UTC" || name == "" {
		return time.UTC, nil
	}
	if l, ok := zones.Load(name); ok {
		return valueAs[*time.Location](l), nil
	}
	l, err := sparkvalue.Zone(name)
	if err == nil {
		zones.Store(name, l)
	}
	return l, err
}

// castTimestamp parses a TIMESTAMP in a zone. Without a zone it parses a TIMESTAMP_NTZ,
// and ignores a zone in the text.
func castTimestamp(a arguments) (any, error) {
	s, zoneName, mode := a.stringAt(0), a.stringAt(1), a.stringAt(2)
	to := "TIMESTAMP"
	if zoneName == "" {
		to = "TIMESTAMP_NTZ"
	}
	loc, err := zone(zoneName)
	if err != nil {
		return nil, raise(
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
		return malformed(mode, s, to)
	}
	return micros, nil
}
