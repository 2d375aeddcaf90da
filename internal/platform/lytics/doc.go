// Package lytics is the customer-data side in a Lytics account, over its public
// API: events are collected into streams, fields and mappings are part of the
// account's schema, audiences are its segments, and Lytics builds the profiles.
//
// # What an event carries
//
// Each event is its row and two more keys: _event_id, the stable id of the row,
// and _event_time, its own time in RFC 3339 with microseconds, which
// timestamp_field points at. Lytics takes no objects inside arrays: each of
// them is sent as a string of JSON.
//
// # What is exact
//
// Lytics has no transactions and knows no idempotency key. An event of which it
// is not known whether Lytics has it (the connection was cut, a 5xx, no answer
// in time, a process that died between the answer and the cursor) is sent again
// with the same _event_id, never left out, and is counted: see
// jobs.AppendResult. All others are sent once.
//
// Scan gives each profile once, as it was when the page that held it was read,
// from one scan that ran from its first page to its last: pages of an attempt
// whose token Lytics refused are thrown away. Lytics promises no snapshot, so
// an audience that changes while it is scanned is seen partly before and partly
// after. A profile is told from others by its _id, or where Lytics gives none
// by the values of all its identifiers.
//
// Lytics builds profiles some time after it accepted the events. AwaitProfiles
// waits for that before an export, as far as the counts of the streams tell it.
//
// # What is not ours
//
// A field, a mapping or a segment has more to it than is declared here (tags,
// assertions, groups): a change keeps what it does not know. A change of the
// schema is published at once. Where the account uses patches, each change is a
// patch of its own; elsewhere the draft is shared, and while it has changes of
// somebody else, ours is refused: publishing it would publish theirs.
package lytics
