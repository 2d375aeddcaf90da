package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
)

// digestBytes is the stored length of a row's digest. 128 bits are enough, because
// only digests of rows with the same timestamp are compared.
const digestBytes = 16

// SentRow is a row that an import sent. Identical rows share one SentRow, and Times
// counts them.
type SentRow struct {
	// Micros is the row's timestamp, in microseconds since 1970, or NullMicros.
	Micros int64
	Digest [digestBytes]byte
	Times  int64
}

// NullMicros stands for the timestamp of rows without one.
const NullMicros = math.MinInt64

// SetDigest sets the digest from the first 128 bits of a hexadecimal text. It reports
// whether the text is long enough and is hexadecimal.
func (r *SentRow) SetDigest(digest []byte) bool {
	if len(digest) < 2*digestBytes {
		return false
	}
	_, err := hex.Decode(r.Digest[:], digest[:2*digestBytes])
	return err == nil
}

// Compare orders rows by timestamp and digest.
func (r SentRow) Compare(o SentRow) int {
	if c := cmp.Compare(r.Micros, o.Micros); c != 0 {
		return c
	}
	return bytes.Compare(r.Digest[:], o.Digest[:])
}

// SentPage is the number of a page of sent rows and its bounds: its first and last
// row, without Times.
type SentPage struct {
	Page        int64
	First, Last SentRow
}

// AddSent stores rows as a page. The rows must be in the order of Compare.
func AddSent(ctx context.Context, tx *Tx, key string, page int64, rows []SentRow) error {
	if len(rows) == 0 {
		return nil
	}
	first, last := rows[0], rows[len(rows)-1]
	_, err := tx.ExecContext(ctx, `INSERT INTO cursor_sent (key, page, first_micros, first_digest, last_micros, last_digest, entries)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, key, page, first.Micros, first.Digest[:], last.Micros, last.Digest[:], encodeSent(rows))
	return err
}

// encodeSent writes for each row the difference of its timestamp from the previous
// row's, its digest, and how many times it was sent.
func encodeSent(rows []SentRow) []byte {
	out := make([]byte, 0, len(rows)*(digestBytes+4))
	previous := rows[0].Micros
	for _, r := range rows {
		out = binary.AppendUvarint(out, uint64(r.Micros-previous)) // #nosec G115 -- in order, so never negative
		out = append(out, r.Digest[:]...)
		out = binary.AppendUvarint(out, uint64(r.Times)) // #nosec G115 -- a count
		previous = r.Micros
	}
	return out
}

var errSentPage = errors.New("a page of sent rows is damaged")

// decodeSent is the inverse of encodeSent. first is the timestamp of the first row.
func decodeSent(first int64, b []byte) ([]SentRow, error) {
	rows := make([]SentRow, 0, len(b)/(digestBytes+2))
	micros := first
	for len(b) > 0 {
		step, n := binary.Uvarint(b)
		if n <= 0 || len(b) < n+digestBytes {
			return nil, errSentPage
		}
		micros += int64(step) // #nosec G115 -- the inverse of the encoding
		r := SentRow{Micros: micros, Digest: [digestBytes]byte(b[n : n+digestBytes])}
		b = b[n+digestBytes:]
		times, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errSentPage
		}
		r.Times = int64(times) // #nosec G115 -- the inverse of the encoding
		rows, b = append(rows, r), b[n:]
	}
	return rows, nil
}

// SentPages lists the pages that overlap a range of timestamps, inclusive, in the
// order of their first rows.
func (d *DB) SentPages(ctx context.Context, key string, from, to int64) ([]SentPage, error) {
	rows, err := d.Read().QueryContext(ctx, `SELECT page, first_micros, first_digest, last_micros, last_digest FROM cursor_sent
		WHERE key = ? AND last_micros >= ? AND first_micros <= ? ORDER BY first_micros, first_digest, page`, key, from, to)
	if err != nil {
		return nil, d.failed("Cannot read the store", err)
	}
	defer func() { _ = rows.Close() }()
	var out []SentPage
	for rows.Next() {
		var p SentPage
		var first, last []byte
		if err := rows.Scan(&p.Page, &p.First.Micros, &first, &p.Last.Micros, &last); err != nil {
			return nil, d.failed("Cannot read the store", err)
		}
		if len(first) != digestBytes || len(last) != digestBytes {
			return nil, corrupt("cursor "+key, errSentPage)
		}
		p.First.Digest, p.Last.Digest = [digestBytes]byte(first), [digestBytes]byte(last)
		out = append(out, p)
	}
	return out, d.failed("Cannot read the store", rows.Err())
}

// SentRows reads the rows of a page.
func (d *DB) SentRows(ctx context.Context, key string, page SentPage) ([]SentRow, error) {
	var entries []byte
	err := d.Read().QueryRowContext(ctx, `SELECT entries FROM cursor_sent WHERE key = ? AND page = ?`, key, page.Page).Scan(&entries)
	if err != nil {
		return nil, d.failed(fmt.Sprintf("Cannot read page %d of the rows sent", page.Page), err)
	}
	rows, err := decodeSent(page.First.Micros, entries)
	if err != nil {
		return nil, corrupt("cursor "+key, err)
	}
	return rows, nil
}

// ForgetSent removes the pages that end before a timestamp. Pages of rows without a
// timestamp stay.
func ForgetSent(ctx context.Context, tx *Tx, key string, before int64) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM cursor_sent WHERE key = ? AND last_micros < ? AND last_micros > ?`,
		key, before, int64(NullMicros))
	return err
}

// ForgetAllSent removes all pages of a key.
func ForgetAllSent(ctx context.Context, tx *Tx, key string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM cursor_sent WHERE key = ?`, key)
	return err
}
