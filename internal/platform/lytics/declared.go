package lytics

import (
	"context"
	"database/sql"
	"errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// declare stores the declared text of an expression or a filter beside the text
// that Lytics wrote for it. Lytics may write both in another way, and a Terraform
// plan that compared the two texts would never be empty.
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
	return p.storeError(ctx, "Cannot note how Lytics writes "+object, err)
}

// declared gives the declared text for the text that Lytics has now. If somebody
// changed the text in Lytics since it was written, it gives the text of Lytics.
func (p *Platform) declared(ctx context.Context, object, written string) (string, error) {
	var text string
	err := p.db.Read().QueryRowContext(ctx, `SELECT declared FROM lytics_texts WHERE object = ? AND written = ?`, object, written).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return written, nil
	}
	return text, p.storeError(ctx, "Cannot read how Lytics writes "+object, err)
}
