// Package schedule says when a job's schedule fires: it validates a
// jobs.Schedule and computes its next planned time.
//
// Days and times of day are those of the schedule's time zone. Where the clocks
// change, three rules hold:
//
//   - A local time that a change skips runs once, later by as much as was
//     skipped: 02:30 on 2026-03-08 in New York runs at 03:30. The same holds
//     for a date that a zone skipped whole.
//   - A local time that comes twice runs once, the first time.
//   - Hourly means every real hour: never more than 60 minutes pass between two
//     runs.
//
// The time zone database is embedded, so that a schedule means the same on a
// machine that has none.
package schedule
