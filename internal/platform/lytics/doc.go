// Package lytics is the customer-data platform of a Lytics account, over its public API.
// Events are collected into streams, fields and mappings are part of the account's schema,
// audiences are segments, and Lytics builds the profiles.
//
// # Events
//
// An event is a row with two more keys: _event_id, the stable id of the row, and
// _event_time, the event's time in RFC 3339 with microseconds. timestamp_field names
// _event_time. Lytics does not accept objects inside arrays, so each of them is sent as a
// string of JSON.
//
// # Guarantees
//
// Lytics has no transactions and no idempotency keys. If it is unknown whether Lytics
// received an event (the connection broke, a 5xx, no response in time), or if the cursor was
// not committed after it (the process died, or another upload of its batch, or of the batch
// before, failed), the event is sent again with the same _event_id, and counted; see
// jobs.AppendResult. All other events are sent once.
//
// Scan returns each profile once, in the state of the page that was read last. All pages
// belong to one complete reading of the audience: if Lytics refuses a token, or gives fewer
// profiles than it counts, the pages are discarded and a new reading begins. The first one is
// by several scans side by side, each of some splits of the audience, if their totals add up
// to the audience; all later ones are one scan. Lytics does not provide a snapshot, so a scan
// of an audience that changes may contain old and new profiles. Profiles are distinguished by
// their _id, or by the values of all identifiers if Lytics returns no _id.
//
// Lytics builds profiles some time after it accepted the events. AwaitProfiles waits for
// that before an export, as far as the counts of the streams show it.
//
// # Properties of other owners
//
// A field, a mapping or a segment has properties that are not declared here (tags,
// assertions, groups); a change keeps them. A change of the schema is published at once. If
// the account uses patches, each change has its own patch. Otherwise all changes share one
// draft. A change is refused while the draft contains changes of others, because publishing
// the draft would publish their changes too.
package lytics
