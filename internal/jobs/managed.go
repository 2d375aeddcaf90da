package jobs

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Manager is who executes a job, or who keeps an authorization.
type Manager string

// The managers. Empty is ManagedByProvider.
const (
	// ManagedByProvider is this provider, in an apply or in a runner.
	ManagedByProvider Manager = "provider"
	// ManagedByLytics is the Lytics account: the object is one of the account, and
	// Lytics connects to Databricks.
	ManagedByLytics Manager = "lytics"
)

// IsLytics reports whether the object is one of the Lytics account.
func (m Manager) IsLytics() bool { return m == ManagedByLytics }

// LyticsIDPrefix begins the id by which an object of the Lytics account is
// imported: the prefix and the id that Lytics gave it.
const LyticsIDPrefix = "lytics:"

// LyticsState is what Lytics tells of a job that it executes.
type LyticsState struct {
	// ID is the job's id in the Lytics account; empty until Lytics has the job.
	ID string `json:"id,omitempty"`
	// Status is the word of Lytics: running, sleeping, completed, fault-3 and so on.
	Status string `json:"status,omitempty"`
	// Since is the since_date that a move from this provider to Lytics set.
	Since *time.Time `json:"since,omitempty"`
	// Problem says why the state is not known.
	Problem string `json:"problem,omitempty"`
}

// notInLytics is the error of an attribute that Lytics has not.
func notInLytics(attribute, why string) error {
	return Invalid(attribute, fmt.Sprintf("Lytics has no %s", attribute), why,
		"Leave it out, or let this provider execute the job (managed_by = \"provider\")")
}

// CheckManager refuses a definition that Lytics would execute and that has what
// Lytics has not. The errors are joined, one for each attribute.
func (s JobSpec) CheckManager() error {
	if !s.ManagedBy.IsLytics() {
		return nil
	}
	var errs []error
	refuse := func(given bool, attribute, why string) {
		if given {
			errs = append(errs, notInLytics(attribute, why))
		}
	}
	refuse(len(s.After) > 0, "after", "A job of Lytics is started by its schedule or by a person, not by the end of another job.")
	refuse(s.ExpectedEverySeconds != 0, "expected_every", "The runs of a job that Lytics executes are not known here, so that nobody could "+
		"tell that one is late.")
	if i := s.Import; i != nil {
		const whole = "An import of Lytics reads all columns and all rows of the table from since_timestamp on."
		refuse(i.Where != "", "where", whole)
		refuse(len(i.Columns) > 0, "columns", whole)
		refuse(len(i.ExcludeColumns) > 0, "exclude_columns", whole)
		refuse(len(i.KeyColumns) > 0, "key_columns", "An import of Lytics orders rows by timestamp_column alone.")
		refuse(i.Lookback != nil, "lookback", "An import of Lytics does not look for rows that were committed late.")
		refuse(i.Changes != "" && i.Changes != ChangesAuto, "changes", "An import of Lytics does not look for rows that were committed late.")
		refuse(i.Deletes != "" && i.Deletes != DeletesIgnore, "deletes", "An import of Lytics does not see deleted rows.")
		const chosen = "What Lytics does with such rows cannot be chosen."
		refuse(i.NullTimestamps != "" && i.NullTimestamps != NullSkip, "null_timestamps", chosen)
		refuse(i.FutureTimestamps != "" && i.FutureTimestamps != FutureDefer, "future_timestamps", chosen)
		refuse(i.MaxRejected != 0, "max_rejected", "Lytics does not report the rows that its own import rejects.")
		refuse(i.ScratchSchema != "", "scratch_schema", "Lytics copies nothing inside Databricks.")
		refuse(i.FullRefresh != "", "full_refresh", "An import of Lytics does not begin anew; replace the resource to read the table again.")
	}
	if e := s.Export; e != nil {
		const table = "Lytics names and creates the table itself."
		const files = "Lytics chooses how it loads the table."
		refuse(e.TableName != "", "table_name", table)
		refuse(e.OverwriteExisting, "overwrite_existing", table)
		refuse(e.ColumnTypes == ColumnTypesInferred, "column_types", table)
		refuse(e.Format == FormatParquet, "format", files)
		refuse(e.Compression != "", "compression", files)
		refuse(e.ScratchSchema != "", "scratch_schema", files)
		refuse(e.MaxShrinkPercent != nil, "max_shrink_percent", "Lytics replaces the table without comparing it with what was there.")
		refuse(s.QueryTimeout != 0 && s.QueryTimeout != DefaultQueryTimeout, "query_timeout_minutes",
			"An export of Lytics has no time limit for a statement.")
	}
	return errors.Join(append(errs, s.checkLyticsSchedule()...)...)
}

func (s JobSpec) checkLyticsSchedule() (errs []error) {
	c := s.Schedule
	if c == nil {
		return nil
	}
	refuse := func(attribute, summary, why, next string) {
		errs = append(errs, Invalid("schedule."+attribute, summary, why, next))
	}
	if s.Export != nil && c.Frequency == Hourly {
		refuse("frequency", "Lytics exports daily, weekly or monthly", "The frequency is hourly.", "Choose one of the three")
	}
	if c.Frequency == Hourly && c.TimeOfDay != "" && c.TimeOfDay != "00:00" {
		refuse("time_of_day", "An hourly import of Lytics has no time of day", "Lytics chooses the minute.", "Leave it out")
	}
	if c.DayOfMonth != 0 {
		refuse("day_of_month", "Lytics has no day of the month", "A monthly job of Lytics repeats on a day that Lytics chooses.", "Leave it out")
	}
	if c.CatchUp == CatchUpSkip {
		refuse("catch_up", "Lytics has no catch_up", "Lytics executes its schedules itself.", "Leave it out")
	}
	if paused := c.Paused != nil && *c.Paused; !c.StartImmediately && !paused {
		refuse("start_immediately", "Lytics runs a new job at once", "A job of Lytics that is started runs, and then repeats by its schedule.",
			"Leave it out, or set schedule.paused = true to create the job without a run")
	}
	return errs
}

// CheckManager refuses an authorization that Lytics would keep and that has what
// Lytics has not. The errors are joined, one for each attribute.
func (s AuthorizationSpec) CheckManager() error {
	if !s.ManagedBy.IsLytics() {
		return nil
	}
	var errs []error
	const login = "Lytics logs in to Databricks with a personal access token, which it keeps itself: its authorization has a host, a port, " +
		"an HTTP path and a token."
	const next = "Give token_wo and token_wo_version"
	if s.ClientID != "" {
		errs = append(errs, Invalid("client_id", "Lytics has no service principals", login, next))
	}
	if s.Login != nil {
		errs = append(errs, Invalid("auth_type", fmt.Sprintf("Lytics has no login of the kind %q", string(s.Login.Kind)), login, next))
	}
	if s.TokenEnv != "" {
		errs = append(errs, Invalid("token_env", "Lytics cannot read an environment variable", login, next))
	}
	if s.CAFile != "" {
		errs = append(errs, Invalid("ca_file", "Lytics reads no ca_file", "Lytics connects to the warehouse by itself, and trusts "+
			"the certificate authorities of its own system.", "Leave it out"))
	}
	if strings.Contains(s.Host, "://") {
		errs = append(errs, Invalid("host", "Lytics connects to a host name", "The host has a scheme, which is for local use.",
			"Give the host name alone"))
	}
	return errors.Join(errs...)
}
