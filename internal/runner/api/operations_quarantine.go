package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func (s *Server) describeQuarantine(api huma.API) {
	a := s.config.API
	type filter struct {
		JobID    string `query:"job_id" doc:"Only rows of this job."`
		RunID    string `query:"run_id" doc:"Only rows of this run."`
		WithData bool   `query:"with_data" doc:"Also read the rows themselves, which are customer data."`
		Limit    int    `query:"limit" minimum:"0" doc:"The most entries to give; 0 means 100."`
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
		func(ctx context.Context, in *filter) (*answer[jobs.QuarantineList], error) {
			v, err := a.QuarantinedRows(ctx, jobs.QuarantineFilter(*in))
			v.Entries = list(v.Entries, itself)
			return &answer[jobs.QuarantineList]{v}, err
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
