package jobs

import "time"

// Field is a typed user field of the platform.
type Field struct {
	// ID is the field's name in profiles.
	ID          string
	Description string
	// Type is string, bool, int, number, date, []string, []time, or
	// map[string] of int, number, string, bool, time.
	Type         string
	IsIdentifier bool
	IsPII        bool
	// MergeOperation is latest, oldest, sum, count, min, max, merge, capped...
	MergeOperation string
	// Capacity bounds collections; 0 means the platform's default.
	Capacity int64
	KeepDays int64
}

// Mapping feeds a field from a stream.
type Mapping struct {
	ID              string
	Stream          string
	Field           string
	Expression      string
	GuardExpression string
}

// Audience is a named FilterQL filter over profiles.
type Audience struct {
	ID          string
	Name        string
	Slug        string
	Description string
	// Filter is FilterQL: `FILTER AND (...)`, or the part after FILTER.
	Filter string
}

// StreamInfo is what is known of a stream.
type StreamInfo struct {
	Name      string
	Events    int64
	Bytes     int64
	FirstTime *time.Time
	LastTime  *time.Time
}

// Event is one row of a source on its way into a stream.
type Event struct {
	// ID is stable: the same row of the same generation has the same id.
	ID string
	// Time is the event's own time, in UTC with microseconds.
	Time time.Time
	// Data is the row as one JSON object.
	Data []byte
}

// Value is one cell of a profile: its text, or NULL. Non-scalar values are
// JSON text; numbers have all their digits; dates are RFC 3339 in UTC.
type Value struct {
	Text string
	Null bool
}
