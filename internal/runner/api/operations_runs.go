package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

func (s *Server) describeRuns(api huma.API) {
	a := s.config.API
	type start struct {
		ID   string `path:"id"`
		Body struct {
			Reason jobs.Reason `json:"reason" enum:"apply,manual,schedule,after"`
		}
	}
	type dryRun struct {
		ID      string `path:"id"`
		Samples int    `query:"samples" minimum:"0" doc:"The number of rows or profiles to show, at most 100."`
	}
	type dryRunOf struct{ Body protocol.DryRunRequest }
	type filter struct {
		JobID  string        `query:"job_id" doc:"Only runs of this job."`
		Status []jobs.Status `query:"status,explode" doc:"Only runs of these statuses."`
		Since  time.Time     `query:"since" doc:"Only runs created since this time."`
		Limit  int           `query:"limit" minimum:"0" doc:"The largest number of runs; 0 means 100."`
		After  string        `query:"after" doc:"Only runs that the list has behind this one: the id of the last run of the page before."`
		Asked
	}
	register(api, route{http.MethodPost, "/jobs/{id}/runs", "start-run", "Run a job now"},
		func(ctx context.Context, in *start) (*answer[jobs.Run], error) {
			v, err := a.StartRun(ctx, in.ID, in.Body.Reason)
			if err == nil {
				noteRun(ctx, v)
			}
			return &answer[jobs.Run]{v}, err
		})
	register(
		api,
		route{http.MethodGet, "/jobs/{id}/dry-run", "dry-run", "Report what a run of a job would read and write, without changing anything"},
		func(ctx context.Context, in *dryRun) (*answer[jobs.DryRun], error) {
			d, err := a.DryRun(ctx, in.ID, in.Samples)
			return &answer[jobs.DryRun]{d}, err
		},
	)
	register(api, route{http.MethodPost, "/jobs/dry-run", "dry-run-definition", "Report what a run of a definition would read and write"},
		func(ctx context.Context, in *dryRunOf) (*answer[jobs.DryRun], error) {
			d, err := a.DryRunOf(ctx, in.Body.Jobs())
			return &answer[jobs.DryRun]{d}, err
		})
	register(api, route{http.MethodGet, "/runs", "list-runs", "List runs, the newest first"},
		func(ctx context.Context, in *filter) (*onePage[[]jobs.Run], error) {
			all, err := a.ListRuns(ctx, jobs.RunFilter{JobID: in.JobID, Statuses: in.Status, Since: in.Since, Limit: in.Limit, After: in.After})
			out := &onePage[[]jobs.Run]{Body: list(all, itself)}
			if n := len(all); n > 0 && n == cmp.Or(in.Limit, defaultPage) {
				out.Link = in.next(all[n-1].ID)
			}
			return out, err
		})
	register(api, route{http.MethodGet, "/runs/{id}", "get-run", "Read a run"}, get(a.Run, itself))
	register(api, route{http.MethodPut, "/runs/{id}/cancelled", "cancel-run", "Cancel a run"}, actionByID(a.CancelRun))
	register(api, route{http.MethodGet, "/runs/{id}/log", "get-run-log", "Read a run's log, the oldest line first"},
		logLines(a.RunLog))

	r := route{http.MethodGet, "/runs/{id}/follow", "follow-run", "Follow a run until it ends"}
	op := r.operation()
	op.Responses = streamed(protocol.EventStream, "Server-sent events: "+protocol.EventRun+" with the run at each change, "+
		"then "+protocol.EventEnd+" with the ended run, or "+protocol.EventProblem+". A stream without one of the two is incomplete: "+
		"follow again.",
		api.OpenAPI().Components.Schemas.Schema(typeOf[jobs.Run](), true, ""))
	huma.Register(api, op, wrap(r, s.follow))
}

// logLines adapts a call that returns a log.
func logLines(call func(context.Context, string) ([]jobs.LogLine, error)) func(context.Context, *logOf) (*onePage[[]jobs.LogLine], error) {
	return func(ctx context.Context, in *logOf) (*onePage[[]jobs.LogLine], error) {
		lines, err := call(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		paging := in.Paging
		if paging.After == "0" {
			paging.After = "" // no line was read yet
		}
		return pageOf(paging, lines, lineNumber)
	}
}

type logOf struct {
	ID string `path:"id"`
	Paging
}

// keepAlive is the interval of the comments that keep an idle stream open.
const keepAlive = 10 * time.Second

// follow sends a run at each change. A client that disconnects does not cancel
// the run.
func (s *Server) follow(ctx context.Context, in *byID) (*huma.StreamResponse, error) {
	run, err := s.config.API.Run(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", protocol.EventStream)
		w := hc.BodyWriter()
		tick := time.NewTicker(s.config.FollowEvery)
		defer tick.Stop()
		var last []byte
		said := time.Now()
		for {
			text, err := json.Marshal(run)
			switch {
			case err != nil:
				return
			case !run.Status.Active():
				_ = sendEvent(w, protocol.EventEnd, text)
				return
			case string(text) != string(last):
				err = sendEvent(w, protocol.EventRun, text)
				last, said = text, time.Now()
			case time.Since(said) > keepAlive:
				_, err = io.WriteString(w, ": still here\n\n")
				said = time.Now()
			}
			if err != nil || flush(w) != nil {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-s.stopping:
				return
			case <-tick.C:
			}
			if run, err = s.config.API.Run(ctx, in.ID); err != nil {
				if text, err := json.Marshal(protocol.ProblemOf(err, "follow run "+in.ID)); err == nil && ctx.Err() == nil {
					_ = sendEvent(w, protocol.EventProblem, text)
				}
				return
			}
		}
	}}, nil
}

func sendEvent(w io.Writer, name string, data []byte) error {
	_, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, data)
	return err
}

func flush(w io.Writer) error {
	if rw, ok := w.(http.ResponseWriter); ok {
		return http.NewResponseController(rw).Flush()
	}
	return nil
}
