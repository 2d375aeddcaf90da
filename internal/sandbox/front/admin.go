package front

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
)

// adminRoutes registers the endpoints under /sandbox/. They need no token, so
// they answer only requests that name a loopback host.
func (s *Server) adminRoutes() {
	admin := func(pattern string, answer func(*http.Request) (any, error)) {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !loopbackHost(r.Host) {
				writeError(
					w,
					httpReply{status: http.StatusForbidden, code: "PERMISSION_DENIED", message: "The admin endpoints answer on a loopback address only."},
				)
				return
			}
			body, err := answer(r)
			if err != nil {
				writeError(w, httpReply{status: http.StatusBadRequest, code: "INVALID_PARAMETER_VALUE", message: err.Error()})
				return
			}
			writeJSON(w, http.StatusOK, body)
		})
	}
	faults := func() any { return map[string]any{"faults": s.options.Faults.List()} }

	admin("GET /sandbox/faults", func(*http.Request) (any, error) { return faults(), nil })
	admin("PUT /sandbox/faults", func(r *http.Request) (any, error) {
		var in struct {
			Faults []fault.Fault `json:"faults"`
		}
		if err := decode(r, &in); err != nil {
			return nil, err
		}
		if _, err := s.options.Faults.Replace(in.Faults); err != nil {
			return nil, err
		}
		return faults(), nil
	})
	admin("POST /sandbox/faults", func(r *http.Request) (any, error) {
		var in fault.Fault
		if err := decode(r, &in); err != nil {
			return nil, err
		}
		return s.options.Faults.Add(in)
	})
	admin("DELETE /sandbox/faults", func(*http.Request) (any, error) {
		s.options.Faults.Clear()
		return faults(), nil
	})
	admin("DELETE /sandbox/faults/{id}", func(r *http.Request) (any, error) {
		if !s.options.Faults.Remove(r.PathValue("id")) {
			return nil, fmt.Errorf("fault %q does not exist", r.PathValue("id"))
		}
		return faults(), nil
	})
	admin("GET /sandbox/statements", func(*http.Request) (any, error) {
		statements, dropped := s.journal.list()
		return map[string]any{"statements": statements, "dropped": dropped}, nil
	})
	admin("DELETE /sandbox/statements", func(*http.Request) (any, error) {
		s.journal.clear()
		return map[string]any{"statements": []Statement{}, "dropped": 0}, nil
	})
	admin("GET /sandbox/sessions", func(*http.Request) (any, error) {
		return map[string]any{"sessions": s.sessions.describe()}, nil
	})
	admin("POST /sandbox/expire", func(*http.Request) (any, error) {
		s.tokens.expireIssued()
		return map[string]any{}, nil
	})
	admin("GET /sandbox/tokens", func(*http.Request) (any, error) {
		return map[string]any{"issued": s.tokens.allIssued()}, nil
	})
	admin("PUT /sandbox/federation", func(r *http.Request) (any, error) {
		var in struct {
			Policies []FederationPolicy `json:"policies"`
		}
		if err := decode(r, &in); err != nil {
			return nil, err
		}
		return map[string]any{"account_id": AccountID}, s.federation.set(in.Policies)
	})
	admin("PUT /sandbox/token", func(r *http.Request) (any, error) {
		var in struct {
			Token string `json:"token"`
		}
		if err := decode(r, &in); err != nil {
			return nil, err
		}
		if in.Token == "" {
			return nil, fmt.Errorf("token is empty; give the token that the sandbox is to accept from now on")
		}
		s.tokens.setCurrent(in.Token)
		return map[string]any{}, nil
	})
}

func decode(r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("the body is not the JSON that %s %s expects: %w", r.Method, r.URL.Path, err)
	}
	return nil
}

func loopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// sessionInfo describes an open session in the answer of GET /sandbox/sessions.
type sessionInfo struct {
	ID         string    `json:"id"`
	Opened     time.Time `json:"opened"`
	Operations int       `json:"operations"`
}

func (s *sessions) describe() []sessionInfo {
	out := []sessionInfo{}
	for _, sess := range s.list() {
		s.mu.Lock()
		n := len(sess.operations)
		s.mu.Unlock()
		out = append(out, sessionInfo{ID: sess.id.String(), Opened: sess.opened, Operations: n})
	}
	return out
}
