package api

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func (s *Server) describeQuarantine(api huma.API) {
	a := s.config.API
	type Filter struct {
		JobID    string `query:"job_id" doc:"Only rows of this job."`
		RunID    string `query:"run_id" doc:"Only rows of this run."`
		WithData bool   `query:"with_data" doc:"Also read the rows themselves, which are customer data."`
		Limit    int    `query:"limit" minimum:"0" doc:"The most entries to give; 0 means 100."`
		After    int64  `query:"after" minimum:"0" doc:"Only entries with larger ids: the id of the last entry of the page before."`
	}
	type listed struct {
		Filter
		Asked
	}
	type selected struct {
		ID   string `path:"id"`
		Body struct {
			IDs []int64 `json:"ids" doc:"Only these entries; empty means all of the job." maxItems:"1000"`
		}
	}
	type dropped struct {
		Dropped int64 `json:"dropped" doc:"How many entries were removed."`
	}
	register(api, route{http.MethodGet, "/quarantine", "list-quarantine", "List the rows that the platform rejected, the oldest first"},
		func(ctx context.Context, in *listed) (*onePage[jobs.QuarantineList], error) {
			v, err := a.QuarantinedRows(ctx, jobs.QuarantineFilter(in.Filter))
			v.Entries = list(v.Entries, itself)
			out := &onePage[jobs.QuarantineList]{Body: v}
			if n := len(v.Entries); n > 0 && n == cmp.Or(in.Limit, defaultPage) {
				out.Link = in.next(strconv.FormatInt(v.Entries[n-1].ID, 10))
			}
			return out, err
		})
	register(api, route{http.MethodPost, "/jobs/{id}/quarantine/resend", "resend-quarantine", "Send rejected rows of a job again"},
		func(ctx context.Context, in *selected) (*answer[jobs.Resent], error) {
			v, err := a.ResendQuarantined(ctx, in.ID, in.Body.IDs)
			return &answer[jobs.Resent]{v}, err
		})
	register(api, route{http.MethodPost, "/jobs/{id}/quarantine/drop", "drop-quarantine", "Remove rejected rows of a job"},
		func(ctx context.Context, in *selected) (*answer[dropped], error) {
			n, err := a.DropQuarantined(ctx, in.ID, in.Body.IDs)
			return &answer[dropped]{dropped{n}}, err
		})
}
