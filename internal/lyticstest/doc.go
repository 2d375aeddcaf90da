// Package lyticstest is a stand-in for Lytics: a server that speaks the parts of
// its public API that package lytics uses, checks what it receives as strictly
// as the documentation says, and misbehaves on demand.
//
// It stores events, builds profiles of them by the published schema, and scans
// segments, all by the embedded platform. Where the documentation leaves things
// open it takes the awkward choice: texts come back rewritten, profiles have
// only the keys that they have values for, numbers are strings in one profile
// and numbers in the next, changes of the schema wait for their publication, and
// the same event sent twice counts twice.
package lyticstest
