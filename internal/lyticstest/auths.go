package lyticstest

import (
	"maps"
	"net/http"
	"slices"
)

var (
	authKeys       = []string{"label", "description", "config", "provider_id", "provider_slug", "type", "user_id", "account_id"}
	databricksKeys = []string{"host", "port", "httppath", "token"}
)

// databricksAuth is the type of an authorization, as the path names it.
const databricksAuth = "databricks-db"

// authorization is a stored authorization. Its config is never in an answer.
type authorization struct {
	attributes, config object
	healthy            bool
}

// Unreachable is the host of a warehouse that the stand-in cannot reach.
const Unreachable = "unreachable.cloud.databricks.com"

// serveAuths answers /v2/auth.
func (s *Server) serveAuths(r *request, path []string) reply {
	switch {
	case len(path) == 0 && r.Method == http.MethodGet:
		if err := r.expects("", "auth_type"); err != nil {
			return s.reject(r, "%v", err)
		}
		list := []any{}
		for _, id := range slices.Sorted(maps.Keys(s.auths)) {
			list = append(list, s.auths[id].attributes)
		}
		return s.success(r, http.StatusOK, list)
	case matches(path, databricksAuth) && r.Method == http.MethodPost:
		return s.writeAuth(r, s.newID(), http.StatusCreated)
	case len(path) == 0 || len(path) > 2 || len(path) == 2 && path[0] != databricksAuth:
		return s.unrouted(r)
	}
	id := path[len(path)-1]
	a, ok := s.auths[id]
	switch {
	case !ok:
		return s.refuse(r, http.StatusNotFound, "AUTH-NOTFOUND-006", "authorization not found")
	case r.Method == http.MethodGet:
		if err := r.expects(""); err != nil {
			return s.reject(r, "%v", err)
		}
		return s.success(r, http.StatusOK, a.attributes)
	case r.Method == http.MethodPut && len(path) == 2:
		return s.writeAuth(r, id, http.StatusOK)
	case r.Method == http.MethodDelete && len(path) == 1:
		delete(s.auths, id)
		return s.deleted(r)
	}
	return s.unrouted(r)
}

// writeAuth creates or replaces an authorization. Label and config are required
// both times.
func (s *Server) writeAuth(r *request, id string, status int) reply {
	if err := r.expects("application/json"); err != nil {
		return s.reject(r, "%v", err)
	}
	o, err := r.object(authKeys...)
	if err != nil {
		return s.reject(r, "%v", err)
	}
	sent, ok := o["config"].(map[string]any)
	if o.text("label") == "" || !ok {
		return s.refuse(r, http.StatusBadRequest, "AUTH-BADREQ-008", "label and config are required")
	}
	config := object{}
	if old, ok := s.auths[id]; ok && s.options.KeepOmittedConfig {
		config = old.config
	}
	for k, v := range sent {
		if !slices.Contains(databricksKeys, k) {
			return s.reject(r, "config key %q is not documented", k)
		}
		config[k] = v
	}
	healthy := config.text("host") != "" && config.text("httppath") != "" && config.text("token") != "" && config.text("host") != Unreachable
	if !healthy && !s.options.UnhealthyAuth {
		return s.refuse(r, http.StatusBadRequest, "AUTH-BADREQ-008", "the connection to the warehouse failed")
	}
	health := "healthy"
	if !healthy {
		health = "unhealthy"
	}
	created := s.timestamp()
	if old, ok := s.auths[id]; ok {
		created = old.attributes.text("created")
	}
	attributes := object{
		"id": id, "label": o.text("label"), "description": o.text("description"), "type": s.slug(databricksAuth), "provider_slug": "databricks",
		"status": health, "unhealthy": !healthy, "created": created, "updated": s.timestamp(), "account_id": s.options.AccountID,
	}
	s.auths[id] = &authorization{attributes: attributes, config: config, healthy: healthy}
	return s.success(r, status, attributes)
}
