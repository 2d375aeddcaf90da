package jobs

import (
	"strings"
	"time"
)

// Field is a typed user field of the platform.
type Field struct {
	// ID is the name of the field in profiles.
	ID          string
	Description string
	// Type is string, bool, int, number, date, []string, []time, or
	// map[string] of int, number, string, bool, time.
	Type         string
	IsIdentifier bool
	IsPII        bool
	// MergeOperation is latest, oldest, sum, count, min, max, merge, capped...
	MergeOperation string
	// Capacity is the largest number of elements of a collection; 0 means the
	// platform's default.
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

// StreamInfo describes a stream.
type StreamInfo struct {
	Name      string
	Events    int64
	Bytes     int64
	FirstTime *time.Time
	LastTime  *time.Time
}

// Event is one row of a source, as it is stored in a stream.
type Event struct {
	// ID is stable: the same row of the same generation always has the same id.
	ID string
	// Time is the time of the event, in UTC with microseconds.
	Time time.Time
	// Data is the row as one JSON object.
	Data []byte
}

// AppendResult says what one append to a stream did. If the append failed,
// nothing was committed and Written and Erased are 0; Rejected and
// PossiblyDuplicated still tell what is known of the failed attempt.
type AppendResult struct {
	// Written is the number of events that are in the stream now.
	Written int64
	// Erased is the number of events that were left out because their user was
	// erased.
	Erased int64
	// Rejected is the number of events that the platform refused to store. They
	// were given to the commit.
	Rejected int64
	// PossiblyDuplicated is the number of events that were sent again, with the
	// same ids, although the platform may have stored them before. An event
	// counts once, however often it was sent.
	PossiblyDuplicated int64
}

// Value is one cell of a profile: its text, or NULL. Non-scalar values are
// JSON text; numbers have all their digits; dates are RFC 3339 in UTC.
type Value struct {
	Text string
	Null bool
}

// Identity is one value of an identifier field, spelled as in profiles.
type Identity struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// ParseIdentity reads FIELD=VALUE.
func ParseIdentity(text string) (Identity, error) {
	field, value, ok := strings.Cut(text, "=")
	if !ok || field == "" || value == "" {
		return Identity{}, Invalid("identifier", "An identifier is written FIELD=VALUE",
			"It has no \"=\" with text on both sides.", "Write it as email=ann@example.com")
	}
	return Identity{Field: field, Value: value}, nil
}

// Profile is one user: the values of the set fields, by the field's id.
type Profile map[string]Value

// ErasureRequest says which user to erase, and how.
type ErasureRequest struct {
	Identity Identity `json:"identity"`
	// DryRun looks the user up and removes nothing.
	DryRun bool `json:"dry_run"`
	// Conflicts makes a Lytics account erase, besides the user's profile, every
	// profile that it reaches from there by a shared identity. The embedded
	// platform, where an identity is in one profile only, refuses it.
	Conflicts bool `json:"conflicts,omitempty"`
}

// Erasure reports what an erasure removed, or would remove.
type Erasure struct {
	// Account is the Lytics account that has the user. It is empty on the embedded
	// platform.
	Account string `json:"account,omitempty"`
	// Found is whether a profile has the identity.
	Found bool `json:"found"`
	// Identities are all identities of the profile. Events of any of them belong
	// to the user.
	Identities []Identity `json:"identities"`
	// Streams are the streams that have events of the user. Lytics does not report
	// them.
	Streams []ErasedEvents `json:"streams"`
	// Quarantined is the rejected rows of the user that are in quarantine. They are
	// removed with the user.
	Quarantined int64 `json:"quarantined,omitempty"`
	// RequestID is the id of the request that Lytics accepted. ErasureDone reports
	// whether it was executed.
	RequestID string `json:"request_id,omitempty"`
	// Done is whether the user was removed; a dry run leaves it false.
	Done bool `json:"done"`
}

// ErasedEvents counts the events of the user in one stream.
type ErasedEvents struct {
	Stream string `json:"stream"`
	Events int64  `json:"events"`
}
