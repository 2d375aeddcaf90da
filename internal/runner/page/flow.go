package page

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// edge is a job in the flow: it moves rows between a table and a stream or an audience.
type edge struct {
	jobRow
	// Table is the job's table; Rows is what its last successful run wrote.
	Table string
	Rows  int64
	// ReadTo is the timestamp up to which an import has read, and Success when the last
	// successful run began; nil if there is none.
	ReadTo, Success *time.Time
	// Stale is set if the last success is longer ago than expected_every of the definition,
	// or without it, than two periods of the schedule.
	Stale bool
}

// flowNode is a stream or an audience with the jobs at it.
type flowNode struct {
	Name, Href string
	// Info is what the platform tells of a stream; nil if it tells nothing.
	Info  *jobs.StreamInfo
	Edges []edge
	// Fields are the profile fields that a stream feeds.
	Fields int
}

type flowView struct {
	Query              string
	Streams, Audiences []flowNode
	// Mapped counts the streams that feed profiles, Fields the fields that are fed.
	Mapped, Fields int
	Jobs           int
	Problem        string
}

// showFlow shows what feeds what: tables, streams, profiles, audiences and tables.
func (s *server) showFlow(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	all, err := s.jobs.get(ctx)
	if err != nil {
		s.fail(w, r, "flow", err)
		return
	}
	v := flowView{Query: r.URL.Query().Get("q")}
	words := strings.Fields(strings.ToLower(v.Query))
	var edges []edge
	for i := range all {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all[i].text, w) }) {
			edges = append(edges, edge{jobRow: jobRow{Job: all[i].Job}})
		}
	}
	v.Jobs = len(edges)
	if err := s.completeEdges(ctx, edges); err != nil {
		s.fail(w, r, "flow", err)
		return
	}
	s.addStreams(ctx, &v)
	running := false
	known := s.names(ctx)
	for i := range edges {
		e := &edges[i]
		running = running || e.State == stateRunning
		if e.Import != nil {
			at := nodeOf(&v.Streams, e.Import.Stream, StreamPath(e.Import.Stream))
			at.Edges = append(at.Edges, *e)
		} else if e.Export != nil {
			at := nodeOf(&v.Audiences, known.audience(e.Export.AudienceID), AudiencePath(e.Export.AudienceID))
			at.Edges = append(at.Edges, *e)
		}
	}
	v.Streams = slices.DeleteFunc(v.Streams, func(n flowNode) bool { return len(words) > 0 && len(n.Edges) == 0 })
	for _, nodes := range [][]flowNode{v.Streams, v.Audiences} {
		slices.SortFunc(nodes, func(a, b flowNode) int { return strings.Compare(a.Name, b.Name) })
	}
	s.render(w, r, http.StatusOK, "flow", frame{Title: "Flow", Section: "flow", Refresh: refresh(running)}, v)
}

// nodeOf is the node of a name, which is added if there is none yet.
func nodeOf(nodes *[]flowNode, name, href string) *flowNode {
	i := slices.IndexFunc(*nodes, func(n flowNode) bool { return n.Name == name })
	if i < 0 {
		i = len(*nodes)
		*nodes = append(*nodes, flowNode{Name: name, Href: href})
	}
	return &(*nodes)[i]
}

// addStreams adds the streams of the platform, with the fields that they feed. A
// platform that cannot be read is a problem of the view, and not of the whole page.
func (s *server) addStreams(ctx context.Context, v *flowView) {
	lists := s.platform(ctx)
	for _, err := range []error{lists.streamsErr, lists.mappingsErr} {
		if err != nil {
			v.Problem = jobs.FailureOf(err).Summary
		}
	}
	for i := range lists.streams {
		info := &lists.streams[i]
		nodeOf(&v.Streams, info.Name, StreamPath(info.Name)).Info = info
	}
	fields := map[string]bool{}
	for _, m := range lists.mappings {
		nodeOf(&v.Streams, m.Stream, StreamPath(m.Stream)).Fields++
		fields[m.Field] = true
	}
	for i := range v.Streams {
		if v.Streams[i].Fields > 0 {
			v.Mapped++
		}
	}
	v.Fields = len(fields)
}

// completeEdges sets what the edges show. Only a job whose last run did not succeed
// needs another look at the store.
func (s *server) completeEdges(ctx context.Context, edges []edge) error {
	now, known := s.Now(), s.names(ctx)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i := range edges {
		e := &edges[i]
		e.State, e.Word = stateOf(&e.Job, now)
		e.Source, e.Target, e.Rhythm = source(&e.Job, known), target(&e.Job), describeSchedule(e.Schedule)
		e.Table = e.Source
		if e.Export != nil {
			e.Table = e.Target
		}
		g.Go(func() error {
			last := e.LastRun
			if last != nil && last.Status != jobs.StatusSucceeded {
				runs, err := s.API.ListRuns(ctx, jobs.RunFilter{JobID: e.ID, Statuses: []jobs.Status{jobs.StatusSucceeded}, Limit: 1})
				if err != nil || len(runs) == 0 {
					return err
				}
				last = &runs[0]
			}
			if last != nil {
				at := when(last)
				e.Success, e.ReadTo, e.Rows = &at, last.Watermark, last.RowsWritten
				switch {
				case e.Paused:
				case e.ExpectedEvery() > 0:
					e.Stale = e.LateBy(now) > 0
				case e.Schedule != nil:
					e.Stale = now.Sub(at) > 2*e.Schedule.Period()+lateAfter
				}
			}
			return nil
		})
	}
	return g.Wait()
}
