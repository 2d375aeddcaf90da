package jobs

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// A job's JSON has its durations in seconds. It has them in nanoseconds too, and a
// definition is accepted with either: clients and runners of earlier releases know
// nanoseconds alone. A definition that is sent has nanoseconds only, because a runner
// of an earlier release refuses a property that it does not know.

// plainImport and plainSpec are the types without their methods.
type (
	plainImport TableImport
	plainSpec   JobSpec
)

// ImportDurations repeats a duration of TableImport in seconds.
type ImportDurations struct {
	// LookbackSeconds is how far below the watermark a run looks for late rows; a day if
	// it is left out, and only at the watermark if it is 0.
	LookbackSeconds *int64 `json:"lookback_seconds,omitempty" minimum:"0" maximum:"9223372036"`
}

// JobDurations repeats a duration of JobSpec in seconds.
type JobDurations struct {
	// QueryTimeoutSeconds bounds each statement at the warehouse, in whole minutes.
	QueryTimeoutSeconds *int64 `json:"query_timeout_seconds,omitempty" minimum:"0" maximum:"9223372036"`
}

type importJSON struct {
	plainImport
	ImportDurations
}

type specJSON struct {
	plainSpec
	JobDurations
}

// jobState is what a Job has besides its definition.
type jobState struct {
	ID        string       `json:"id"`
	Lytics    *LyticsState `json:"lytics,omitempty"`
	NextRunAt *time.Time   `json:"next_run_at,omitempty"`
	Paused    bool         `json:"paused"`
	LastRun   *Run         `json:"last_run,omitempty"`
	// LastSuccessAt is that of Job.
	LastSuccessAt *time.Time `json:"last_success_at,omitempty"`
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
}

// UnmarshalJSON takes the lookback in seconds, or else in nanoseconds.
func (i *TableImport) UnmarshalJSON(text []byte) error {
	j := importJSON{plainImport: plainImport(*i)}
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	*i = TableImport(j.plainImport)
	if j.LookbackSeconds != nil {
		d, err := fromSeconds("lookback_seconds", *j.LookbackSeconds)
		i.Lookback = &d
		return err
	}
	return nil
}

// UnmarshalJSON takes the time-out in seconds, or else in nanoseconds.
func (s *JobSpec) UnmarshalJSON(text []byte) error {
	j := specJSON{plainSpec: plainSpec(*s)}
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	*s = JobSpec(j.plainSpec)
	if j.QueryTimeoutSeconds != nil {
		d, err := fromSeconds("query_timeout_seconds", *j.QueryTimeoutSeconds)
		s.QueryTimeout = d
		return err
	}
	return nil
}

func fromSeconds(name string, n int64) (time.Duration, error) {
	if n < 0 || n > math.MaxInt64/int64(time.Second) {
		return 0, fmt.Errorf("%s is no duration in seconds", name)
	}
	return time.Duration(n) * time.Second, nil
}

// MarshalJSON adds the durations in seconds.
func (j Job) MarshalJSON() ([]byte, error) {
	out := struct {
		jobState
		specJSON
		Import *importJSON `json:"import,omitempty"`
	}{
		jobState: jobState{ID: j.ID, Lytics: j.Lytics, NextRunAt: j.NextRunAt, Paused: j.Paused, LastRun: j.LastRun,
			LastSuccessAt: j.LastSuccessAt, CreatedAt: j.CreatedAt, UpdatedAt: j.UpdatedAt},
		specJSON: specJSON{plainSpec: plainSpec(j.JobSpec), JobDurations: JobDurations{QueryTimeoutSeconds: seconds(&j.QueryTimeout)}},
	}
	if i := j.Import; i != nil {
		out.Import = &importJSON{plainImport: plainImport(*i), ImportDurations: ImportDurations{LookbackSeconds: seconds(i.Lookback)}}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON or an earlier release wrote.
func (j *Job) UnmarshalJSON(text []byte) error {
	state := jobState{ID: j.ID, Lytics: j.Lytics, NextRunAt: j.NextRunAt, Paused: j.Paused, LastRun: j.LastRun,
		LastSuccessAt: j.LastSuccessAt, CreatedAt: j.CreatedAt, UpdatedAt: j.UpdatedAt}
	if err := json.Unmarshal(text, &state); err != nil {
		return err
	}
	if err := j.JobSpec.UnmarshalJSON(text); err != nil {
		return err
	}
	j.ID, j.Lytics, j.NextRunAt, j.Paused, j.LastRun = state.ID, state.Lytics, state.NextRunAt, state.Paused, state.LastRun
	j.LastSuccessAt, j.CreatedAt, j.UpdatedAt = state.LastSuccessAt, state.CreatedAt, state.UpdatedAt
	return nil
}

// seconds returns a duration in whole seconds; nil if it has a fraction, which only
// nanoseconds can tell.
func seconds(d *time.Duration) *int64 {
	if d == nil || *d%time.Second != 0 {
		return nil
	}
	n := int64(*d / time.Second)
	return &n
}
