package lytics

import (
	"context"
	"database/sql"
	"errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// declare remembers the text that was declared for what Lytics wrote: it may
// write expressions and filters in its own way, and a plan that compared the two
// would never be empty.
func (p *Platform) declare(ctx context.Context, object, declared, written string) error {
	err := p.db.Write(ctx, func(tx *store.Tx) error {
		if declared == written {
			_, err := tx.ExecContext(ctx, `DELETE FROM lytics_texts WHERE object = ?`, object)
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO lytics_texts (object, declared, written) VALUES (?, ?, ?)
			ON CONFLICT (object) DO UPDATE SET declared = excluded.declared, written = excluded.written`, object, declared, written)
		return err
	})
	return p.failed(ctx, "Cannot note how Lytics writes "+object, err)
}

// declared gives the text that was declared for what Lytics has now, or just
// that when it is another text than was written.
func (p *Platform) declared(ctx context.Context, object, written string) (string, error) {
	var text string
	err := p.db.Read().QueryRowContext(ctx, `SELECT declared FROM lytics_texts WHERE object = ? AND written = ?`, object, written).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return written, nil
	}
	return text, p.failed(ctx, "Cannot read how Lytics writes "+object, err)
}
