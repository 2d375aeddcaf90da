package lyticstest

import (
	"cmp"
	"context"
	"net/http"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// erasure is a deletion of a profile. Lytics executes it some time after it was
// asked for; here each look at its status is one step.
type erasure struct {
	identity jobs.Identity
	looks    int
	done     bool
}

// defaultErasureLooks is the number of status requests that an erasure takes
// unless Switches say another.
const defaultErasureLooks = 2

// serveEntities answers /api/entity.
func (s *Server) serveEntities(r *request, path []string) reply {
	switch {
	case len(path) == 2 && path[0] == "deletestatus" && r.Method == http.MethodGet:
		return s.erasureStatus(r, path[1])
	case len(path) == 3 && path[0] == "user" && r.Method == http.MethodGet:
		return s.entity(r, jobs.Identity{Field: path[1], Value: path[2]})
	case len(path) == 3 && path[0] == "user" && r.Method == http.MethodDelete:
		if err := r.expects("", "conflicts"); err != nil {
			return s.reject(r, "%v", err)
		}
		if c := r.query.Get("conflicts"); c != "" && c != "true" && c != "false" {
			return s.reject(r, "conflicts is %q", c)
		}
		id := s.newID()
		s.erasures[id] = erasure{identity: jobs.Identity{Field: path[1], Value: path[2]}}
		return s.success(r, http.StatusOK, map[string]any{"request_id": id, "complete": false})
	}
	return s.unrouted(r)
}

func (s *Server) erasureStatus(r *request, id string) reply {
	e, ok := s.erasures[id]
	if !ok {
		return s.refuse(r, http.StatusNotFound, "", "request not found")
	}
	if e.looks++; e.looks >= cmp.Or(s.options.ErasureLooks, defaultErasureLooks) && !e.done {
		if err := s.erase(r.Context(), e.identity); err != nil {
			return s.failed(r, err)
		}
		e.done, s.stale = true, true
	}
	s.erasures[id] = e
	return s.success(r, http.StatusOK, map[string]any{"request_id": id, "complete": e.done})
}

// erase removes a user. Lytics keeps no list of erased users, as the embedded
// platform does: later events bring the user back.
func (s *Server) erase(ctx context.Context, id jobs.Identity) error {
	if _, err := s.users.Erase(ctx, id, false); err != nil && !jobs.IsCode(err, jobs.CodeNotFound) {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM erased_identities`)
		return err
	})
}

// entity looks a profile up. A profile that does not exist is answered with 200
// and a profile that is in the segment not_found.
func (s *Server) entity(r *request, id jobs.Identity) reply {
	if err := r.expects("", "fields", "meta", "segments"); err != nil {
		return s.reject(r, "%v", err)
	}
	p, found, err := s.lookUp(r, id)
	switch {
	case err != nil:
		return s.refuse(r, http.StatusBadRequest, "", err.Error())
	case s.options.EntityTimesOut:
		return s.substitute(r, "Timed out")
	case !found:
		return s.substitute(r, "Not Found")
	}
	return s.success(r, http.StatusOK, p)
}

// substitute answers the profile that stands for one that was not found.
func (s *Server) substitute(r *request, message string) reply {
	a := s.success(r, http.StatusOK, map[string]any{"segments": []string{"not_found", "all"}})
	if body, ok := a.body.(map[string]any); ok {
		body["message"] = message
	}
	return a
}

// identity answers GET /v2/identity/{table}/{field}/{value}, which knows a real
// 404.
func (s *Server) identity(r *request, table, field, value string) reply {
	if r.Method != http.MethodGet || table != "user" {
		return s.unrouted(r)
	}
	p, found, err := s.lookUp(r, jobs.Identity{Field: field, Value: value})
	switch {
	case err != nil:
		return s.refuse(r, http.StatusBadRequest, "BADREQ-001", err.Error())
	case !found:
		return s.refuse(r, http.StatusNotFound, "NOTFOUND-003", "identity not found")
	}
	return s.success(r, http.StatusOK, p)
}

func (s *Server) lookUp(r *request, id jobs.Identity) (profile map[string]any, found bool, err error) {
	if err := s.buildProfiles(r.Context()); err != nil {
		return nil, false, err
	}
	values, err := s.users.Profile(r.Context(), id)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	columns, err := s.users.Fields(r.Context())
	if err != nil {
		return nil, false, err
	}
	row := make([]jobs.Value, len(columns))
	for i, c := range columns {
		v, ok := values[c.ID]
		row[i] = v
		row[i].Null = !ok
	}
	return s.profileJSON(columns, row, true).values, true, nil
}
