package engine

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// CreateField implements jobs.Platform.
func (a Audited) CreateField(ctx context.Context, f jobs.Field, owner jobs.Owner) (jobs.Field, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "create-field", Object: f.ID}, func(ctx context.Context) (jobs.Field, error) {
		return a.Engine.CreateField(ctx, f, owner)
	})
}

// PutField implements jobs.Platform.
func (a Audited) PutField(ctx context.Context, f jobs.Field, owner jobs.Owner) (jobs.Field, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "put-field", Object: f.ID}, func(ctx context.Context) (jobs.Field, error) {
		return a.Engine.PutField(ctx, f, owner)
	})
}

// DeleteField implements jobs.Platform.
func (a Audited) DeleteField(ctx context.Context, id string, owner jobs.Owner) error {
	return changeOnly(ctx, a, jobs.AuditEntry{Action: "delete-field", Object: id}, func(ctx context.Context) error {
		return a.Engine.DeleteField(ctx, id, owner)
	})
}

// CreateMapping implements jobs.Platform. The entry names the field that is mapped.
func (a Audited) CreateMapping(ctx context.Context, m jobs.Mapping, owner jobs.Owner) (jobs.Mapping, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "create-mapping", Object: m.ID, Label: m.Field}, func(ctx context.Context) (jobs.Mapping, error) {
		return a.Engine.CreateMapping(ctx, m, owner)
	})
}

// PutMapping implements jobs.Platform.
func (a Audited) PutMapping(ctx context.Context, m jobs.Mapping, owner jobs.Owner) (jobs.Mapping, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "put-mapping", Object: m.ID, Label: m.Field}, func(ctx context.Context) (jobs.Mapping, error) {
		return a.Engine.PutMapping(ctx, m, owner)
	})
}

// DeleteMapping implements jobs.Platform.
func (a Audited) DeleteMapping(ctx context.Context, id string, owner jobs.Owner) error {
	return changeOnly(ctx, a, jobs.AuditEntry{Action: "delete-mapping", Object: id}, func(ctx context.Context) error {
		return a.Engine.DeleteMapping(ctx, id, owner)
	})
}

// CreateAudience implements jobs.Platform.
func (a Audited) CreateAudience(ctx context.Context, v jobs.Audience, owner jobs.Owner) (jobs.Audience, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "create-audience", Object: v.ID, Label: v.Name}, func(ctx context.Context) (jobs.Audience, error) {
		return a.Engine.CreateAudience(ctx, v, owner)
	})
}

// PutAudience implements jobs.Platform.
func (a Audited) PutAudience(ctx context.Context, v jobs.Audience, owner jobs.Owner) (jobs.Audience, error) {
	return change(ctx, a, jobs.AuditEntry{Action: "put-audience", Object: v.ID, Label: v.Name}, func(ctx context.Context) (jobs.Audience, error) {
		return a.Engine.PutAudience(ctx, v, owner)
	})
}

// DeleteAudience implements jobs.Platform.
func (a Audited) DeleteAudience(ctx context.Context, id string, owner jobs.Owner) error {
	return changeOnly(ctx, a, jobs.AuditEntry{Action: "delete-audience", Object: id}, func(ctx context.Context) error {
		return a.Engine.DeleteAudience(ctx, id, owner)
	})
}
