package jobs

import "time"

// Frequency is how often a schedule fires.
type Frequency string

// The frequencies.
const (
	Hourly  Frequency = "hourly"
	Daily   Frequency = "daily"
	Weekly  Frequency = "weekly"
	Monthly Frequency = "monthly"
)

// CatchUp is the policy for occurrences that were missed because no runner was
// connected to the store.
type CatchUp string

// The catch-up policies.
const (
	// CatchUpOne executes one run for all missed occurrences. It is the default.
	CatchUpOne CatchUp = "one"
	// CatchUpSkip records them as missed and waits for the next occurrence.
	CatchUpSkip CatchUp = "skip"
)

// Schedule says when a job runs. The frequency decides which fields may be set;
// package schedule validates them.
type Schedule struct {
	Frequency Frequency `json:"frequency"`
	// TimeOfDay is "HH:MM". For hourly only the minutes count ("00:15" is a
	// quarter past every hour). Empty means midnight, or the full hour.
	TimeOfDay string `json:"time_of_day,omitempty"`
	// DayOfWeek is "monday" to "sunday", for weekly only; empty means monday.
	DayOfWeek string `json:"day_of_week,omitempty"`
	// DayOfMonth is 1 to 31, for monthly only; 0 means 1. In a shorter month it
	// is the last day.
	DayOfMonth int `json:"day_of_month,omitempty"`
	// Timezone is an IANA name; empty means UTC.
	Timezone string `json:"timezone,omitempty"`
	// StartImmediately runs a new job as soon as it is created.
	StartImmediately bool    `json:"start_immediately"`
	CatchUp          CatchUp `json:"catch_up,omitempty"`
	// Paused pauses or resumes the job; nil leaves it as PauseJob set it.
	Paused *bool `json:"paused,omitempty"`
}

// Period is the longest time between two occurrences of a schedule.
func (s Schedule) Period() time.Duration {
	const day = 24 * time.Hour
	switch s.Frequency {
	case Hourly:
		return time.Hour
	case Weekly:
		return 7 * day
	case Monthly:
		return 31 * day
	default:
		return day
	}
}
