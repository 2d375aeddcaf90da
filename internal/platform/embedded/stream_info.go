package embedded

import (
	"context"
	"database/sql"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// StreamInfo describes a stream. It fails with CodeNotFound if the stream does not
// exist.
func (p *Platform) StreamInfo(ctx context.Context, stream string) (jobs.StreamInfo, error) {
	list, err := p.streams(ctx, `WHERE name = ?`, stream)
	if err == nil && len(list) == 0 {
		return jobs.StreamInfo{}, notFound("stream", stream)
	}
	if err != nil {
		return jobs.StreamInfo{}, err
	}
	return list[0], nil
}

// Streams lists all streams by name.
func (p *Platform) Streams(ctx context.Context) ([]jobs.StreamInfo, error) {
	return p.streams(ctx, `ORDER BY name`)
}

func (p *Platform) streams(ctx context.Context, clause string, args ...any) ([]jobs.StreamInfo, error) {
	const summary = "Cannot read the streams"
	rows, err := p.db.Read().QueryContext(ctx, `SELECT name, events, bytes, first_time, last_time FROM streams `+clause, args...)
	if err != nil {
		return nil, p.storageError(summary, err)
	}
	defer func() { _ = rows.Close() }()
	var list []jobs.StreamInfo
	for rows.Next() {
		var s jobs.StreamInfo
		var first, last sql.NullInt64
		if err := rows.Scan(&s.Name, &s.Events, &s.Bytes, &first, &last); err != nil {
			return nil, p.storageError(summary, err)
		}
		s.FirstTime, s.LastTime = nullTime(first), nullTime(last)
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		return nil, p.storageError(summary, err)
	}
	return list, nil
}

func nullTime(us sql.NullInt64) *time.Time {
	if !us.Valid {
		return nil
	}
	t := time.UnixMicro(us.Int64).UTC()
	return &t
}
