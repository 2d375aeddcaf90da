package lyticstest

import "time"

// Options describe the account that the stand-in serves.
type Options struct {
	// Token is the API token that the stand-in accepts. It is required.
	Token string
	// AccountID is the account's id. The default is 32 hexadecimal digits.
	AccountID string
	// Children are the ids of accounts below this one. With children, GET
	// /v2/account returns the whole family.
	Children []string
	// Patches switches the account to schema patches: the setting
	// enable_schema_patches is true, and direct changes of the schema are refused.
	Patches bool
	// APIAddress and BulkAddress are listen addresses. The default is a free port
	// of the loopback interface.
	APIAddress, BulkAddress string
	// Now is the clock. The default is time.Now.
	Now func() time.Time

	Switches
}

// Switches select one of several answers that the public facts allow. The zero
// value is the strictest reading of each fact.
type Switches struct {
	// AccountV1 has no GET /v2/account, as in the published description.
	AccountV1 bool
	// AcceptArrays accepts a JSON array of objects as an upload. Only single
	// objects, one or several in a row, are documented.
	AcceptArrays bool
	// RefuseLines refuses several JSON objects in one upload.
	RefuseLines bool
	// AcceptGzip accepts Content-Encoding: gzip. Documented is only a CSV file that
	// is compressed itself, without the header.
	AcceptGzip bool
	// BlindDryRun makes a dry run answer rejected_count 0 for every upload.
	BlindDryRun bool
	// StopKeepsNothing drops the whole upload when a row is rejected and droperrors
	// is not set. By default the rows before the rejected one are kept.
	StopKeepsNothing bool
	// CountRejected includes rejected events in message_count.
	CountRejected bool
	// ValidateTextOnly validates the text of a filter alone. By default a filter that
	// includes a segment that the account does not have is invalid.
	ValidateTextOnly bool
	// ValidateFields makes a filter invalid that names a field that the schema does
	// not have. By default such a field has no value, as in the open engine.
	ValidateFields bool
	// EvaluateToNothing answers an empty string for an expression that gives no
	// value for an event. By default such an expression is refused.
	EvaluateToNothing bool
	// MappingByCollection changes a mapping by POST /mapping with its id and has no
	// POST /mapping/{id}, as the published description says. By default it is the
	// other way round, as the newer source says.
	MappingByCollection bool
	// StreamCountCT names the number of events of a stream "ct" instead of "count".
	StreamCountCT bool
	// StatusText writes the status of v1 answers as the text "success".
	StatusText bool
	// ScanNext names the next page of a scan "next" instead of "_next".
	ScanNext bool
	// ScanSameToken gives the same token with each page of a scan; the scan has ended
	// after a page without profiles.
	ScanSameToken bool
	// Splits says what a scan makes of its parameter splits.
	Splits SplitsMeaning
	// ProfileLag makes profiles lag behind accepted events: the events of an upload
	// are counted, and are in profiles, after this many requests for their stream.
	// 0 means at once.
	ProfileLag int
	// ErasureLooks is the number of status requests that an erasure takes; 0 means 2.
	ErasureLooks int
	// EntityTimesOut answers each look-up of a profile with "Timed out", which has
	// status 200 as "Not Found" has.
	EntityTimesOut bool
	// HideIDs leaves _id out of profiles.
	HideIDs bool
	// UnhealthyAuth answers 201 with status unhealthy, instead of 400, for an
	// authorization whose warehouse cannot be reached.
	UnhealthyAuth bool
	// KeepOmittedConfig keeps the keys of an authorization's config that a change
	// leaves out. By default they are empty after the change.
	KeepOmittedConfig bool
	// StartByBounce starts a job that never ran by bounce, and refuses resume. By
	// default it is the other way round: nothing says how such a job is started.
	StartByBounce bool
	// RestartOnChange starts a job again when it is changed.
	RestartOnChange bool
	// UnderscoreSlugs stores the types of authorizations and jobs with underscores,
	// as the examples of answers have them. Paths have hyphens in any case.
	UnderscoreSlugs bool
}

// SplitsMeaning is what a scan makes of the parameter splits. Published is only that it is a
// list of numbers from 0 to 99 for A/B tests.
type SplitsMeaning string

// The meanings of splits. By default each profile is in one split, and the total of a page is
// that of the splits.
const (
	// SplitsCountAll gives the splits with the total of the whole audience.
	SplitsCountAll SplitsMeaning = "count all"
	// SplitsIgnored gives the whole audience.
	SplitsIgnored SplitsMeaning = "ignored"
	// SplitsRefused refuses the parameter.
	SplitsRefused SplitsMeaning = "refused"
	// SplitsPartial leaves some profiles out of all splits.
	SplitsPartial SplitsMeaning = "partial"
	// SplitsOverlap gives some profiles in two splits.
	SplitsOverlap SplitsMeaning = "overlap"
)
