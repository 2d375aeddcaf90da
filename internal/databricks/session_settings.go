package databricks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// A SQL warehouse takes the session's settings from OpenSession. A cluster ignores them: it
// has the same settings under the names of Spark's configuration, which are set by SET. What
// a session really has is proved before it is used, because another time zone shifts
// timestamps, and without ANSI mode a value that cannot be converted becomes NULL.

// sessionSetting is a setting that every session needs.
type sessionSetting struct {
	// parameter is its name at a SQL warehouse, and conf its name in Spark's configuration.
	parameter, conf string
	value           string
	// why says what the setting protects.
	why string
}

// settings are those of this session.
func (w *Warehouse) settings() (zone, ansi, timeout sessionSetting) {
	seconds := max(int64(w.queryTimeout.Round(time.Second)/time.Second), 1)
	return sessionSetting{"TIMEZONE", "spark.sql.session.timeZone", "UTC", "In another time zone, timestamps are shifted."},
		sessionSetting{"ANSI_MODE", "spark.sql.ansi.enabled", "true", "Without it, values that cannot be converted become NULL."},
		sessionSetting{"STATEMENT_TIMEOUT", "spark.sql.thriftServer.queryTimeout", strconv.FormatInt(seconds, 10),
			"Without it, a statement goes on after its run has ended."}
}

// sessionProof is one row with what the session has. In ANSI mode an INT and a STRING have the
// common type BIGINT, and otherwise STRING
// (https://docs.databricks.com/sql/language-manual/sql-ref-datatype-rules.html). Only a SQL
// warehouse has a dbsql_version
// (https://docs.databricks.com/sql/language-manual/functions/current_version.html), and only a
// warehouse is known to obey STATEMENT_TIMEOUT.
const sessionProof = "SELECT current_timezone() AS zone, typeof(coalesce(1, '2')) AS common, current_version().dbsql_version AS warehouse"

// oldSessionProof is for runtimes without the function current_version.
const oldSessionProof = "SELECT current_timezone() AS zone, typeof(coalesce(1, '2')) AS common, CAST(NULL AS STRING) AS warehouse"

// utcNames are the names of UTC by which Databricks and Spark answer.
var utcNames = []string{"UTC", "Etc/UTC", "Z", "GMT", "Etc/GMT", "+00:00"}

// proved are the facts of sessionProof.
type proved struct {
	// zone is the session's time zone, and common the common type of INT and STRING.
	zone, common string
	ofAWarehouse bool
	// ansiByEffect is set by refusesBadCasts.
	ansiByEffect bool
}

// prove executes sessionProof. It is limited by the time to start and not by the query
// timeout.
func (w *Warehouse) prove(ctx context.Context) (p proved, err error) {
	p, err = w.readProof(ctx, sessionProof)
	if strings.HasPrefix(Class(err), "UNRESOLVED_ROUTINE") {
		return w.readProof(ctx, oldSessionProof)
	}
	return p, err
}

func (w *Warehouse) readProof(ctx context.Context, statement string) (p proved, err error) {
	rows, err := w.query(tracedCall(ctx, true), statement, nil)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var version *string
	for rows.Next() {
		if err := rows.Scan(&p.zone, &p.common, &version); err != nil {
			return p, fmt.Errorf("reading what the session at %s has: %w", w.name, err)
		}
	}
	p.ofAWarehouse = version != nil
	return p, rows.Err()
}

func (p proved) inUTC() bool  { return slices.Contains(utcNames, p.zone) }
func (p proved) inANSI() bool { return strings.EqualFold(p.common, "bigint") || p.ansiByEffect }

// probe proves that the session has the settings, and sets those that it has not.
func (w *Warehouse) probe(ctx context.Context) error {
	p, err := w.prove(ctx)
	if err != nil {
		return err
	}
	zone, ansi, timeout := w.settings()
	if w.cluster = !p.ofAWarehouse; w.cluster {
		if err := w.set(ctx, timeout); err != nil {
			return w.settingRefused(timeout, "This compute is no SQL warehouse, so that it does not know "+timeout.parameter, err)
		}
	}
	if p.inUTC() && p.inANSI() {
		return nil
	}
	var refusedZone, refusedANSI error
	if !p.inUTC() {
		refusedZone = w.set(ctx, zone)
	}
	if !p.inANSI() {
		refusedANSI = w.set(ctx, ansi)
	}
	if p, err = w.prove(ctx); err != nil {
		return err
	}
	if !p.inANSI() {
		if p.ansiByEffect, err = w.refusesBadCasts(ctx); err != nil {
			return err
		}
	}
	switch {
	case !p.inUTC():
		return w.settingRefused(zone, fmt.Sprintf("The session's time zone is %s", p.zone), refusedZone)
	case !p.inANSI():
		return w.settingRefused(ansi, "A text that is no number was converted to one without an error", refusedANSI)
	}
	return nil
}

// SetStatementTimeout changes the timeout of the statements that follow, at least a second.
func (w *Warehouse) SetStatementTimeout(ctx context.Context, d time.Duration) error {
	_, _, timeout := w.settings()
	name := timeout.parameter
	if w.cluster {
		name = timeout.conf
	}
	return w.ExecIdempotent(ctx, fmt.Sprintf("SET %s = %d", name, max(1, int64(d/time.Second))))
}

// staticOverwrite is the setting by which INSERT OVERWRITE replaces the whole of a partitioned
// table. With the value DYNAMIC, the partitions that get no row are kept. SQL warehouses do not
// have it (https://docs.databricks.com/aws/en/delta/selective-overwrite).
var staticOverwrite = sessionSetting{"spark.sql.sources.partitionOverwriteMode", "spark.sql.sources.partitionOverwriteMode", "STATIC",
	"With another value, INSERT OVERWRITE keeps the partitions that get no new row."}

// SetStaticOverwrite makes INSERT OVERWRITE replace the whole of a partitioned table for the
// rest of the session. It is an error if the compute refuses the setting.
func (w *Warehouse) SetStaticOverwrite(ctx context.Context) error {
	if !w.cluster {
		return nil
	}
	err := w.ExecIdempotent(ctx, "SET "+staticOverwrite.conf+" = "+staticOverwrite.value)
	if err == nil || strings.HasPrefix(Class(err), "CONFIG_NOT_AVAILABLE") {
		return nil
	}
	return w.settingRefused(staticOverwrite, "Its INSERT OVERWRITE may keep partitions of a table", err)
}

// set executes SET with the name of Spark's configuration. A SQL warehouse does not have
// these names and knows the parameter.
func (w *Warehouse) set(ctx context.Context, s sessionSetting) error {
	err := w.setTo(ctx, s.conf, s.value)
	if strings.HasPrefix(Class(err), "CONFIG_NOT_AVAILABLE") {
		return w.setTo(ctx, s.parameter, s.value)
	}
	return err
}

func (w *Warehouse) setTo(ctx context.Context, name, value string) error {
	rows, err := w.query(tracedCall(ctx, true), "SET "+name+" = "+value, nil)
	if err != nil {
		return err
	}
	for rows.Next() {
	}
	return errors.Join(rows.Err(), rows.Close())
}

// refusesBadCasts is the proof of ANSI mode by its effect, for the case that the common type
// does not show it.
func (w *Warehouse) refusesBadCasts(ctx context.Context) (bool, error) {
	rows, err := w.query(tracedCall(ctx, true), "SELECT CAST('x' AS INT)", nil)
	if err == nil {
		for rows.Next() {
		}
		err = errors.Join(rows.Err(), rows.Close())
	}
	if strings.HasPrefix(Class(err), "CAST_INVALID_INPUT") {
		return true, nil
	}
	return false, err
}

// settingRefused is the error of compute that has not a setting and does not take it. cause
// may be nil: SET succeeded, without an effect. An error of the connection is returned as it
// is.
func (w *Warehouse) settingRefused(s sessionSetting, found string, cause error) error {
	e, isStatement := errors.AsType[*StatementError](cause)
	if cause != nil && !isStatement {
		return cause
	}
	detail := found + ", and SET " + s.conf + " had no effect. "
	if isStatement {
		detail = found + ", and SET " + s.conf + " was refused: " + e.Message + ". "
	}
	return &jobs.Error{Code: jobs.CodeInvalid, Attribute: "http_path",
		Summary: fmt.Sprintf("The compute at %s does not take the setting %s", w.name, s.parameter),
		Detail:  detail + s.why,
		Next:    "Use a SQL warehouse, or set " + s.conf + " to " + s.value + " in the Spark configuration of the cluster",
		Err:     cause}
}
