package jobs

import (
	"context"
	"encoding/json"
	"time"
)

// RejectedEvent is an event that a platform refused to store, and why.
type RejectedEvent struct {
	// Event has no Data if the row is too long to be kept.
	Event
	// Key is the values of the import's key columns, as a JSON object; empty for
	// an import without key columns.
	Key string
	// Reason says why, without a value of the row.
	Reason string
	// Bytes is the length of the row's JSON.
	Bytes int64
	// Among is nil if this very event was rejected. Otherwise the platform only
	// told how many events of a range it rejected: Event is the first one of the
	// range, without Data.
	Among *EventRange
}

// EventRange is a range of events of which the platform rejected some, without
// telling which.
type EventRange struct {
	LastID   string
	LastTime time.Time
	// Events is the length of the range, and Rejected how many of them were
	// rejected.
	Events, Rejected int64
}

// Rows is the number of rejected rows.
func (r RejectedEvent) Rows() int64 {
	if r.Among != nil {
		return r.Among.Rejected
	}
	return 1
}

// RejectedRows is the number of rows of all of these.
func RejectedRows(all []RejectedEvent) (n int64) {
	for _, r := range all {
		n += r.Rows()
	}
	return n
}

// Quarantine is the part of API for rows of imports that the platform rejected.
type Quarantine interface {
	// QuarantinedRows lists what is in quarantine, oldest first.
	QuarantinedRows(ctx context.Context, f QuarantineFilter) (QuarantineList, error)
	// ResendQuarantined sends rows of a job's quarantine again, with the ids that
	// their events had, and removes those that the platform accepts. Without ids
	// it sends all. Entries that another process is sending are left to it.
	ResendQuarantined(ctx context.Context, jobID string, ids []int64) (Resent, error)
	// DropQuarantined removes entries of a job's quarantine, all of them without
	// ids, and tells how many. Entries that are being sent again stay.
	DropQuarantined(ctx context.Context, jobID string, ids []int64) (int64, error)
}

// QuarantineFilter selects entries; zero fields select all.
type QuarantineFilter struct {
	JobID string
	RunID string
	// WithData reads the rows themselves.
	WithData bool
	// Limit is the most entries returned, oldest first; 0 means 100.
	Limit int
	// After leaves out entries whose ids are not larger; they count all the same.
	After int64
}

// QuarantineList is the entries that a filter selects.
type QuarantineList struct {
	// Entries are at most as many as the filter's limit.
	Entries []QuarantineEntry `json:"entries"`
	// Total counts all entries that the filter selects, and Rows the rejected rows
	// that they stand for.
	Total int64 `json:"total"`
	Rows  int64 `json:"rows"`
	// RemovedOverLimit and RemovedExpired count the entries of the job, or of all
	// jobs, that were removed because there were too many, or after their days.
	RemovedOverLimit int64 `json:"removed_over_limit"`
	RemovedExpired   int64 `json:"removed_expired"`
}

// QuarantineEntry is a rejected row, or a range of events of which some were
// rejected.
type QuarantineEntry struct {
	ID     int64  `json:"id"`
	JobID  string `json:"job_id"`
	RunID  string `json:"run_id"`
	Stream string `json:"stream"`
	// EventID and EventTime are of the rejected event, or of the first event of a
	// range.
	EventID   string    `json:"event_id"`
	EventTime time.Time `json:"event_time"`
	// LastEventID and LastEventTime are of the last event of a range, and are
	// empty otherwise.
	LastEventID   string     `json:"last_event_id,omitempty"`
	LastEventTime *time.Time `json:"last_event_time,omitempty"`
	// Events is the length of the range, and Rows how many of its rows were
	// rejected; both are 1 for a single row.
	Events int64 `json:"events"`
	Rows   int64 `json:"rows"`
	// Key is the values of the key columns, as a JSON object.
	Key string `json:"key,omitempty"`
	// Reason has no value of the row.
	Reason string `json:"reason"`
	// Bytes is the length of the row's JSON.
	Bytes int64 `json:"bytes"`
	// Sendable reports whether the row is kept, so that it can be sent again.
	Sendable bool `json:"sendable"`
	// Sending reports whether a process is sending the row again.
	Sending bool `json:"sending,omitempty"`
	// Data is the row, if the filter asked for it and it is kept.
	Data      json.RawMessage `json:"data,omitempty"`
	CreatedAt time.Time       `json:"created_at"`
}

// Resent is what became of rows that were sent again.
type Resent struct {
	// Accepted rows are in the stream, and no longer in quarantine.
	Accepted int64 `json:"accepted"`
	// Rejected rows were rejected again. They stay, with the new reason.
	Rejected int64 `json:"rejected"`
	// Erased rows are of users who were erased. They were removed.
	Erased int64 `json:"erased"`
	// NotSendable entries stay: the row is not kept, or which rows of a range were
	// rejected is not known.
	NotSendable int64 `json:"not_sendable"`
	// Sending entries are being sent by another process.
	Sending int64 `json:"sending"`
	// PossiblyDuplicated is as in AppendResult.
	PossiblyDuplicated int64 `json:"possibly_duplicated"`
}
