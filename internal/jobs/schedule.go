package jobs

// Frequency is how often a schedule fires.
type Frequency string

// The frequencies.
const (
	Hourly  Frequency = "hourly"
	Daily   Frequency = "daily"
	Weekly  Frequency = "weekly"
	Monthly Frequency = "monthly"
)

// CatchUp says what becomes of runs that were missed while nothing executed
// schedules.
type CatchUp string

// The catch-up policies.
const (
	// CatchUpOne coalesces all missed runs into one. The default.
	CatchUpOne CatchUp = "one"
	// CatchUpSkip records them as missed and waits for the next one.
	CatchUpSkip CatchUp = "skip"
)

// Schedule is when a job repeats. Which of the fields may be set depends on
// the frequency; package schedule validates and computes.
type Schedule struct {
	Frequency Frequency `json:"frequency"`
	// TimeOfDay is "HH:MM". For hourly only its minutes count ("00:15" is a
	// quarter past every hour). Empty means midnight, or the full hour.
	TimeOfDay string `json:"time_of_day,omitempty"`
	// DayOfWeek is "monday" to "sunday"; weekly only; empty means monday.
	DayOfWeek string `json:"day_of_week,omitempty"`
	// DayOfMonth is 1 to 31, a day past the month's end being its last;
	// monthly only; 0 means 1.
	DayOfMonth int `json:"day_of_month,omitempty"`
	// Timezone is an IANA name; empty means UTC.
	Timezone string `json:"timezone,omitempty"`
	// StartImmediately gives a new job its first run at once.
	StartImmediately bool    `json:"start_immediately"`
	CatchUp          CatchUp `json:"catch_up,omitempty"`
	// Paused nil leaves it as an operator made it.
	Paused *bool `json:"paused,omitempty"`
}
