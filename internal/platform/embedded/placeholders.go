package embedded

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// placeholders are values of identifiers that identify nobody, in the form that
// placeholderForm gives them.
type placeholders map[string]struct{}

// placeholderForm is the form in which values and placeholders are compared: without
// spaces around them, in lower case.
func placeholderForm(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

// identifiesNobody reports whether a value of an identifier is blank or a
// placeholder.
func (l placeholders) identifiesNobody(text string) bool {
	if len(l) == 0 {
		return strings.TrimSpace(text) == ""
	}
	text = placeholderForm(text)
	_, listed := l[text]
	return listed || text == ""
}

// normalizePlaceholders returns the list sorted, in the form that is compared, each
// value once.
func normalizePlaceholders(list []string) []string {
	out := []string{}
	for _, text := range list {
		if text = placeholderForm(text); text != "" {
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// storedPlaceholders returns the normalized list of the store.
func storedPlaceholders(ctx context.Context, q queryer) ([]string, error) {
	var text string
	err := q.QueryRowContext(ctx, `SELECT list FROM placeholders`).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []string
	return list, json.Unmarshal([]byte(text), &list)
}

// adoptPlaceholders stores the configured list, if there is one. A process that has
// none, such as the command line on a data directory, uses the store's: with
// another list it would build other profiles, and might join strangers in them.
func (p *Platform) adoptPlaceholders(ctx context.Context, lock buildLock) error {
	if p.placeholders == nil {
		return nil
	}
	list := normalizePlaceholders(p.placeholders)
	stored, err := storedPlaceholders(ctx, p.db.Read())
	if err != nil || slices.Equal(list, stored) {
		return err
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return p.buildWrite(ctx, lock, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO placeholders (one, list) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET list = excluded.list`, string(text))
		return err
	})
}
