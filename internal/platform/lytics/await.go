package lytics

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// DefaultProfileWait is how long an export waits for the profiles of the events
// that were sent before it.
const DefaultProfileWait = 10 * time.Minute

// The pauses between two looks at the streams double from the first to the longest.
const (
	firstLookPause   = time.Second
	longestLookPause = 15 * time.Second
)

// awaited is a stream that events were sent to since Lytics was last seen to have
// counted them all.
type awaited struct {
	stream string
	// target is the count of the stream that includes them. It is not valid if the
	// stream could not be read before they were sent.
	target sql.NullInt64
	sent   int64
}

// beginAwaiting reads the count of a stream before events are sent to it, unless
// events of it are awaited already.
func (p *Platform) beginAwaiting(ctx context.Context, stream string) error {
	var known int
	err := p.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM lytics_awaited WHERE stream = ?`, stream).Scan(&known)
	if err != nil || known > 0 {
		return err
	}
	count, err := p.streamCount(ctx, stream)
	if err != nil {
		return err
	}
	return p.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO lytics_awaited (stream, target, sent) VALUES (?, ?, 0) ON CONFLICT DO NOTHING`, stream, count)
		return err
	})
}

// streamCount reads how many events Lytics has counted in a stream. A stream that
// does not exist has none. The count is not valid if Lytics refuses the request,
// because the token may not read streams for example: that must not stop an import.
func (p *Platform) streamCount(ctx context.Context, stream string) (n sql.NullInt64, err error) {
	s, _, err := p.stream(ctx, stream)
	switch {
	case jobs.IsCode(err, jobs.CodeNotFound):
		return sql.NullInt64{Valid: true}, nil
	case err == nil:
		return sql.NullInt64{Int64: s.info().Events, Valid: s.counted()}, nil
	case hasStatus(err, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed):
		return n, nil
	}
	return n, err
}

// await adds the events that Lytics accepted to those that are awaited.
func await(ctx context.Context, tx *store.Tx, stream string, accepted int64) error {
	_, err := tx.ExecContext(
		ctx,
		`UPDATE lytics_awaited SET target = target + ?, sent = sent + ? WHERE stream = ?`,
		accepted,
		accepted,
		stream,
	)
	return err
}

// AwaitProfiles waits until Lytics has counted all events that were sent to its
// streams, which is the only thing that the API tells of its progress: an accepted
// event is in a queue, and the profile follows. It waits no longer than
// Config.ProfileWait. The lag tells what was not reached by then; those events are
// not waited for again.
//
// If others send events to the same streams, the counts are reached too early.
func (p *Platform) AwaitProfiles(ctx context.Context, progress func(done, total int64)) (lag platform.Lag, err error) {
	const summary = "Cannot tell whether Lytics has built the profiles"
	all, err := p.awaited(ctx)
	if err != nil || len(all) == 0 {
		return lag, p.storeError(ctx, summary, err)
	}
	begun := p.clock.Now()
	for pause := firstLookPause; ; pause = min(2*pause, longestLookPause) {
		behind, unknown, err := p.behind(ctx, all)
		if err != nil {
			return lag, err
		}
		total, missing := int64(0), int64(0)
		for i, a := range all {
			total += a.sent
			missing += behind[i]
		}
		if progress != nil && missing > 0 {
			progress(total-missing, total)
		}
		if missing > 0 && p.clock.Now().Add(pause).Before(begun.Add(p.profileWait)) {
			select {
			case <-ctx.Done():
				return lag, p.storeError(ctx, summary, ctx.Err())
			case <-p.clock.After(pause):
				continue
			}
		}
		for i, a := range all {
			if behind[i] > 0 {
				unknown = append(unknown, fmt.Sprintf("%d of the %d events sent to stream %s are not counted yet", behind[i], a.sent, a.stream))
			}
		}
		lag.Events = missing
		if len(unknown) > 0 {
			lag.Note = fmt.Sprintf(
				"Lytics may not have built all profiles, after a wait of %s: %s. Profiles of these events may be missing or old; "+
					"a later run of the export has them.",
				p.clock.Now().Sub(begun).Round(time.Second),
				strings.Join(unknown, "; "),
			)
		}
		return lag, p.storeError(ctx, summary, p.stopAwaiting(ctx, all))
	}
}

// behind looks at the streams and returns how many events of each are not counted
// yet. For a stream that cannot be read it returns 0, and a sentence in unknown.
func (p *Platform) behind(ctx context.Context, all []awaited) (behind []int64, unknown []string, err error) {
	behind = make([]int64, len(all))
	for i, a := range all {
		count := sql.NullInt64{}
		if a.target.Valid {
			if count, err = p.streamCount(ctx, a.stream); err != nil {
				return nil, nil, err
			}
		}
		if !count.Valid {
			unknown = append(unknown, fmt.Sprintf("the count of stream %s cannot be read", a.stream))
			continue
		}
		behind[i] = min(max(a.target.Int64-count.Int64, 0), a.sent)
	}
	return behind, unknown, nil
}

func (p *Platform) awaited(ctx context.Context) (all []awaited, err error) {
	rows, err := p.db.Read().QueryContext(ctx, `SELECT stream, target, sent FROM lytics_awaited ORDER BY stream`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var a awaited
		if err := rows.Scan(&a.stream, &a.target, &a.sent); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

// stopAwaiting forgets the streams, except those that more events were sent to.
func (p *Platform) stopAwaiting(ctx context.Context, all []awaited) error {
	return p.db.Write(ctx, func(tx *store.Tx) error {
		var errs []error
		for _, a := range all {
			_, err := tx.ExecContext(ctx, `DELETE FROM lytics_awaited WHERE stream = ? AND sent = ?`, a.stream, a.sent)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}
