package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// Store implements jobs.API.
func (c *Client) Store(ctx context.Context, create bool) (jobs.StoreInfo, error) {
	method := http.MethodGet
	if create {
		method = http.MethodPut
	}
	info, err := call[protocol.StoreInfo](ctx, c, request{method: method, path: "/store"})
	info.Location = c.place
	return jobs.StoreInfo(info), err
}

// CreateAuthorization implements jobs.Authorizations.
func (c *Client) CreateAuthorization(ctx context.Context, change jobs.AuthorizationChange) (jobs.Authorization, error) {
	if err := c.register(ctx); err != nil {
		return jobs.Authorization{}, err
	}
	made := c.creates.Asked(ctx)
	a, err := call[protocol.Authorization](ctx, c, request{method: http.MethodPost, path: "/authorizations", body: protocol.ChangeOf(change)})
	if err == nil {
		made(a.ID)
	}
	return a.Jobs(), err
}

// UpdateAuthorization implements jobs.Authorizations.
func (c *Client) UpdateAuthorization(ctx context.Context, id string, change jobs.AuthorizationChange) (jobs.Authorization, error) {
	a, err := call[protocol.Authorization](
		ctx,
		c,
		request{method: http.MethodPut, path: at("/authorizations/%s", id), body: protocol.ChangeOf(change)},
	)
	return a.Jobs(), err
}

// Authorization implements jobs.Authorizations.
func (c *Client) Authorization(ctx context.Context, id string) (jobs.Authorization, error) {
	a, err := call[protocol.Authorization](ctx, c, request{method: http.MethodGet, path: at("/authorizations/%s", id)})
	return a.Jobs(), err
}

// ListAuthorizations implements jobs.Authorizations.
func (c *Client) ListAuthorizations(ctx context.Context) ([]jobs.Authorization, error) {
	return listed(ctx, c, "/authorizations", nil, protocol.Authorization.Jobs)
}

// DeleteAuthorization implements jobs.Authorizations.
func (c *Client) DeleteAuthorization(ctx context.Context, id string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: at("/authorizations/%s", id)})
}

// CreateJob implements jobs.Definitions.
func (c *Client) CreateJob(ctx context.Context, s jobs.JobSpec) (jobs.Job, error) {
	if err := c.register(ctx); err != nil {
		return jobs.Job{}, err
	}
	made := c.creates.Asked(ctx)
	job, err := call[jobs.Job](ctx, c, request{method: http.MethodPost, path: "/jobs", body: s})
	if err == nil {
		made(job.ID)
	}
	return job, err
}

// CheckCreateJob implements jobs.Definitions.
func (c *Client) CheckCreateJob(ctx context.Context, s jobs.JobSpec) error {
	return c.do(ctx, request{method: http.MethodPut, path: "/jobs/check", body: s})
}

// UpdateJob implements jobs.Definitions.
func (c *Client) UpdateJob(ctx context.Context, id string, s jobs.JobSpec) (jobs.Job, error) {
	return call[jobs.Job](ctx, c, request{method: http.MethodPut, path: at("/jobs/%s", id), body: s})
}

// Job implements jobs.Definitions.
func (c *Client) Job(ctx context.Context, id string) (jobs.Job, error) {
	return call[jobs.Job](ctx, c, request{method: http.MethodGet, path: at("/jobs/%s", id)})
}

// PauseJob implements jobs.Definitions.
func (c *Client) PauseJob(ctx context.Context, id string, paused bool) (jobs.Job, error) {
	return call[jobs.Job](ctx, c, request{method: http.MethodPut, path: at("/jobs/%s/paused", id), body: map[string]bool{"paused": paused}})
}

// JobLog implements jobs.Definitions.
func (c *Client) JobLog(ctx context.Context, id string) ([]jobs.LogLine, error) {
	return call[[]jobs.LogLine](ctx, c, request{method: http.MethodGet, path: at("/jobs/%s/log", id)})
}

// Jobs implements jobs.Definitions.
func (c *Client) Jobs(ctx context.Context) ([]jobs.Job, error) {
	return call[[]jobs.Job](ctx, c, request{method: http.MethodGet, path: "/jobs"})
}

// DeleteJob implements jobs.Definitions.
func (c *Client) DeleteJob(ctx context.Context, id string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: at("/jobs/%s", id)})
}

// Confirm implements jobs.Definitions.
func (c *Client) Confirm(ctx context.Context, id string) error {
	return c.do(ctx, request{method: http.MethodPut, path: at("/objects/%s/confirmed", id)})
}

// StartRun implements jobs.Runs.
func (c *Client) StartRun(ctx context.Context, jobID string, reason jobs.Reason) (jobs.Run, error) {
	run, err := call[jobs.Run](
		ctx,
		c,
		request{method: http.MethodPost, path: at("/jobs/%s/runs", jobID), body: map[string]jobs.Reason{"reason": reason}},
	)
	if err == nil {
		c.mu.Lock()
		c.started[run.ID] = true
		c.mu.Unlock()
	}
	return run, err
}

// CancelRun implements jobs.Runs.
func (c *Client) CancelRun(ctx context.Context, runID string) error {
	return c.do(ctx, request{method: http.MethodPut, path: at("/runs/%s/cancelled", runID)})
}

// Run implements jobs.Runs.
func (c *Client) Run(ctx context.Context, runID string) (jobs.Run, error) {
	return call[jobs.Run](ctx, c, request{method: http.MethodGet, path: at("/runs/%s", runID)})
}

// ListRuns implements jobs.Runs.
func (c *Client) ListRuns(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error) {
	query := url.Values{}
	set(query, "job_id", f.JobID)
	for _, s := range f.Statuses {
		query.Add("status", string(s))
	}
	if !f.Since.IsZero() {
		query.Set("since", f.Since.UTC().Format(time.RFC3339Nano))
	}
	if f.Limit != 0 {
		query.Set("limit", strconv.Itoa(f.Limit))
	}
	set(query, "after", f.After)
	return call[[]jobs.Run](ctx, c, request{method: http.MethodGet, path: "/runs", query: query})
}

// DryRun implements jobs.Runs.
func (c *Client) DryRun(ctx context.Context, jobID string, samples int) (jobs.DryRun, error) {
	query := url.Values{}
	if samples != 0 {
		query.Set("samples", strconv.Itoa(samples))
	}
	return call[jobs.DryRun](ctx, c, request{method: http.MethodGet, path: at("/jobs/%s/dry-run", jobID), query: query})
}

// DryRunOf implements jobs.Runs.
func (c *Client) DryRunOf(ctx context.Context, r jobs.DryRunRequest) (jobs.DryRun, error) {
	return call[jobs.DryRun](ctx, c,
		request{method: http.MethodPost, path: "/jobs/dry-run", body: protocol.DryRunRequestOf(r), repeatable: true})
}

// RunLog implements jobs.Runs.
func (c *Client) RunLog(ctx context.Context, runID string) ([]jobs.LogLine, error) {
	return call[[]jobs.LogLine](ctx, c, request{method: http.MethodGet, path: at("/runs/%s/log", runID)})
}

func set(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}
