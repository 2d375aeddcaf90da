package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// QuarantinedRows implements jobs.Quarantine.
func (c *Client) QuarantinedRows(ctx context.Context, f jobs.QuarantineFilter) (jobs.QuarantineList, error) {
	query := url.Values{}
	set(query, "job_id", f.JobID)
	set(query, "run_id", f.RunID)
	if f.WithData {
		query.Set("with_data", "true")
	}
	if f.Limit != 0 {
		query.Set("limit", strconv.Itoa(f.Limit))
	}
	if f.After != 0 {
		query.Set("after", strconv.FormatInt(f.After, 10))
	}
	return call[jobs.QuarantineList](ctx, c, request{method: http.MethodGet, path: "/quarantine", query: query})
}

// ResendQuarantined implements jobs.Quarantine.
func (c *Client) ResendQuarantined(ctx context.Context, jobID string, ids []int64) (jobs.Resent, error) {
	return call[jobs.Resent](ctx, c, request{method: http.MethodPost, path: at("/jobs/%s/quarantine/resend", jobID), body: quarantineIDs(ids)})
}

// DropQuarantined implements jobs.Quarantine.
func (c *Client) DropQuarantined(ctx context.Context, jobID string, ids []int64) (int64, error) {
	r := request{method: http.MethodPost, path: at("/jobs/%s/quarantine/drop", jobID), body: quarantineIDs(ids)}
	n, err := call[droppedRows](ctx, c, r)
	return n.Dropped, err
}

func quarantineIDs(ids []int64) map[string][]int64 {
	if ids == nil {
		ids = []int64{}
	}
	return map[string][]int64{"ids": ids}
}
