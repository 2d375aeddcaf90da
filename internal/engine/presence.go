package engine

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

var _ jobs.Presence = (*Engine)(nil)

// Beat implements jobs.Presence.
func (e *Engine) Beat(ctx context.Context, instance string) error {
	db, err := e.open(ctx, createStore)
	if err != nil {
		return err
	}
	return db.Beat(ctx, store.Instance{ID: instance, Kind: store.KindApply, Host: e.options.Name, Version: e.options.Version})
}

// Retire implements jobs.Presence.
func (e *Engine) Retire(ctx context.Context, instance string, unanswered []string) error {
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return err
	}
	return db.Retire(ctx, instance, unanswered)
}
