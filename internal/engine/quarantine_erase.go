package engine

import (
	"context"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// eraseQuarantined removes the rows in quarantine that belong to an erased user, or
// counts them in a dry run. It runs after the erasure: if the process is killed in
// between, the next erasure of the user removes the rows.
func (e *Engine) eraseQuarantined(
	ctx context.Context, r jobs.ErasureRequest, out jobs.Erasure, belongs func(stream string, e jobs.Event) bool,
) (jobs.Erasure, error) {
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return out, err
	}
	key, err := e.quarantineKey(ctx)
	if err != nil {
		return out, err
	}
	var ids []int64
	err = db.SearchQuarantine(ctx, key, func(row store.QuarantinedRow) {
		if belongs(row.Stream, row.Event) {
			ids = append(ids, row.ID)
		}
	})
	if err != nil {
		return out, err
	}
	out.Quarantined = int64(len(ids))
	if r.DryRun || len(ids) == 0 {
		return out, nil
	}
	return out, db.EraseQuarantined(ctx, ids)
}

// holdsIdentity reports whether an event has the value of one of the identities,
// whatever its case, in any column. Lytics evaluates the mappings of an account, so
// the columns with identifiers are not known here.
func holdsIdentity(ids []jobs.Identity) func(stream string, e jobs.Event) bool {
	values := map[string]bool{}
	for _, id := range ids {
		if v := normalized(id.Value); v != "" {
			values[v] = true
		}
	}
	return func(_ string, e jobs.Event) bool { return holdsValue(gjson.ParseBytes(e.Data), values) }
}

func normalized(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

func holdsValue(v gjson.Result, values map[string]bool) (found bool) {
	if !v.IsObject() && !v.IsArray() {
		return values[normalized(v.String())]
	}
	v.ForEach(func(_, member gjson.Result) bool {
		found = holdsValue(member, values)
		return !found
	})
	return found
}
