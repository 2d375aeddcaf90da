package store

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// LogEntry is a line to be added to a run's log.
type LogEntry struct {
	// Age is the time since the line was logged. The log's timestamp is the
	// database's clock minus Age.
	Age     time.Duration
	Level   string
	Message string
	// Phase is the phase that begins with the line; "" for none.
	Phase string
}

// The levels of a run's log.
const (
	LogInfo  = "info"
	LogWarn  = "warn"
	LogError = "error"
)

// maxLogMessage is the length limit of a line in bytes. A longer line is cut, and ends
// with the number of bytes left out.
const maxLogMessage = 4000

// AppendLog adds lines to a run's log.
func AppendLog(ctx context.Context, tx *Tx, runID string, lines ...LogEntry) error {
	for _, l := range lines {
		message := storable(l.Message)
		if len(message) > maxLogMessage {
			end := maxLogMessage
			for !utf8.RuneStart(message[end]) {
				end--
			}
			message = fmt.Sprintf("%s... (%d more bytes)", message[:end], len(message)-end)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO run_log (run_id, at, level, message, phase) VALUES (?, `+now+` - ?, ?, ?, ?)`,
			runID, l.Age.Microseconds(), l.Level, message, storable(l.Phase))
		if err != nil {
			return err
		}
	}
	return nil
}

// RunLog reads a run's lines in the order they were written.
func (d *DB) RunLog(ctx context.Context, runID string) ([]jobs.LogLine, error) {
	rows, err := d.Read().QueryContext(ctx, `SELECT at, level, message FROM run_log WHERE run_id = ? ORDER BY id`, runID)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []jobs.LogLine
	for rows.Next() {
		var l jobs.LogLine
		var at int64
		if err := rows.Scan(&at, &l.Level, &l.Message); err != nil {
			return nil, err
		}
		l.At = fromMicros(at)
		out = append(out, l)
	}
	return out, rows.Err()
}

// RunPhases reads the phases of a run in the order in which they began.
func (d *DB) RunPhases(ctx context.Context, runID string) ([]jobs.PhaseStart, error) {
	rows, err := d.Read().QueryContext(ctx, `SELECT phase, at FROM run_log WHERE run_id = ? AND phase <> '' ORDER BY id`, runID)
	if err != nil {
		return nil, d.failed("Cannot read the phases of run "+runID, err)
	}
	defer func() { _ = rows.Close() }()
	var out []jobs.PhaseStart
	for rows.Next() {
		var p jobs.PhaseStart
		var at int64
		if err := rows.Scan(&p.Name, &at); err != nil {
			return nil, d.failed("Cannot read the phases of run "+runID, err)
		}
		p.At = fromMicros(at)
		out = append(out, p)
	}
	return out, d.failed("Cannot read the phases of run "+runID, rows.Err())
}
