package lyticstest

import (
	"net/http"
	"slices"
)

// route dispatches a request by its path.
func (s *Server) route(r *request) reply {
	p := r.path
	switch {
	case len(p) == 3 && p[0] == "collect":
		return s.collect(r, p[1], p[2])
	case r.host == bulkHost:
	case matches(p, "v2", "account") && !s.options.AccountV1 || matches(p, "api", "account"):
		return s.accounts(r)
	case matches(p, "v2", "account"):
		return s.refuse(r, http.StatusNotFound, "NOTFOUND-003", "not found")
	case len(p) >= 3 && p[0] == "v2" && p[1] == "schema":
		return s.serveSchema(r, p[2:])
	case len(p) >= 2 && p[0] == "v2" && p[1] == "segment":
		return s.serveSegments(r, p[2:])
	case len(p) >= 2 && p[0] == "v2" && p[1] == "stream":
		return s.serveStreams(r, p[2:])
	case len(p) >= 2 && p[0] == "v2" && p[1] == "auth":
		return s.serveAuths(r, p[2:])
	case len(p) >= 2 && p[0] == "v2" && p[1] == "job":
		return s.serveJobs(r, p[2:])
	case len(p) == 5 && p[0] == "v2" && p[1] == "identity":
		return s.identity(r, p[2], p[3], p[4])
	case matches(p, "api", "account", "setting", patchesSetting):
		return s.setting(r)
	case len(p) >= 3 && p[0] == "api" && p[1] == "entity":
		return s.serveEntities(r, p[2:])
	case len(p) >= 3 && p[0] == "api" && p[1] == "segment":
		return s.serveSegmentsV1(r, p[2:])
	}
	return s.unrouted(r)
}

func matches(path []string, want ...string) bool { return slices.Equal(path, want) }

// patchesSetting is the setting that tells how the schema of an account changes.
const patchesSetting = "enable_schema_patches"

// setting answers GET /api/account/setting/enable_schema_patches.
func (s *Server) setting(r *request) reply {
	if err := r.expects(""); err != nil || r.Method != http.MethodGet {
		return s.reject(r, "changing %s is not for clients: %v", patchesSetting, err)
	}
	// An account that never switched has no value.
	var value any
	if s.options.Patches {
		value = true
	}
	return s.success(r, http.StatusOK, map[string]any{"slug": patchesSetting, "value": value, "can_be_assigned": false})
}

// accounts answers GET /v2/account: the token's account, and with children the
// whole family. The token's own entry is the one whose aid is its parentaid.
func (s *Server) accounts(r *request) reply {
	if err := r.expects(""); err != nil || r.Method != http.MethodGet {
		return s.reject(r, "GET takes no parameter: %v", err)
	}
	const own = 1000
	list := []any{}
	for i, id := range s.options.Children {
		list = append(list, accountJSON(id, own+1+i, own))
	}
	list = append(list, accountJSON(s.options.AccountID, own, own))
	return s.success(r, http.StatusOK, list)
}

func accountJSON(id string, aid, parent int) map[string]any {
	return map[string]any{
		"id": id, "aid": aid, "parentaid": parent, "name": "Account " + id, "domain": "acme.example", "status": "active", "timezone": "UTC",
	}
}
