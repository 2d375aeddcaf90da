package page

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// A session ends after idleTime without use, and at the latest lifeTime after
// the sign-in. A restart of the runner ends all sessions.
const (
	idleTime    = 12 * time.Hour
	lifeTime    = 7 * 24 * time.Hour
	maxSessions = 1000
)

type session struct {
	begun, used time.Time
	notice      notice
}

// notice is the result of an action. It is shown for some time and not only
// once, because the page is fetched again every second.
type notice struct {
	Text, Why, Next string
	Failed          bool
	until           time.Time
}

type sessions struct {
	now func() time.Time
	mu  sync.Mutex
	// byKey is keyed by a digest of the cookie, so that no usable cookie is in
	// memory.
	byKey map[[sha256.Size]byte]*session
}

func (s *sessions) begin() string {
	secret := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	maps.DeleteFunc(s.byKey, func(_ [sha256.Size]byte, v *session) bool { return v.over(now) })
	if s.byKey == nil || len(s.byKey) >= maxSessions {
		s.byKey = map[[sha256.Size]byte]*session{}
	}
	s.byKey[sha256.Sum256([]byte(secret))] = &session{begun: now, used: now}
	return secret
}

func (v *session) over(now time.Time) bool {
	return now.Sub(v.used) > idleTime || now.Sub(v.begun) > lifeTime
}

// use calls f with the session of the secret, and reports whether there is one
// that has not ended.
func (s *sessions) use(secret string, f func(*session)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	v := s.byKey[sha256.Sum256([]byte(secret))]
	if v == nil || v.over(now) {
		return false
	}
	v.used = now
	if f != nil {
		f(v)
	}
	return true
}

func (s *sessions) end(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byKey, sha256.Sum256([]byte(secret)))
}

// cookieName includes the port, because browsers share cookies between ports:
// two runners on one host would sign each other out.
func cookieName(r *http.Request) string {
	name := "lytics_runner"
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		name += "_" + port
	}
	if r.TLS != nil {
		return "__Host-" + name
	}
	return name
}

func cookie(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // G124: Secure is set wherever there is TLS; without it the runner serves loopback only
		Name: cookieName(r), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	}
}

type secretKey struct{}

// signedIn requires a session; requests without one are redirected to the
// sign-in page.
func (s *server) signedIn(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(cookieName(r))
		if err != nil || !s.sessions.use(c.Value, nil) {
			to := "/sign-in"
			if r.Method == http.MethodGet && r.URL.Path != "/" {
				to += "?next=" + url.QueryEscape(r.URL.RequestURI())
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		next(w, r.WithContext(context.WithValue(r.Context(), secretKey{}, c.Value)))
	})
}

// leaveNotice stores a notice in the session of the request.
func (s *server) leaveNotice(r *http.Request, n notice) {
	n.until = s.Now().Add(8 * time.Second)
	if n.Failed {
		n.until = s.Now().Add(time.Minute)
	}
	secret, _ := r.Context().Value(secretKey{}).(string)
	s.sessions.use(secret, func(v *session) { v.notice = n })
}

func (s *server) noticeOf(r *http.Request) (n notice) {
	secret, _ := r.Context().Value(secretKey{}).(string)
	s.sessions.use(secret, func(v *session) {
		if s.Now().Before(v.notice.until) {
			n = v.notice
		}
	})
	return n
}

type signInView struct {
	Next    string
	Refused bool
}

func (s *server) showSignIn(w http.ResponseWriter, r *http.Request) {
	next := localPath(r.FormValue("next"))
	if c, err := r.Cookie(cookieName(r)); err == nil && s.sessions.use(c.Value, nil) {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	s.render(w, r, http.StatusOK, "sign-in", frame{Title: "Sign in"}, signInView{Next: next})
}

func (s *server) signIn(w http.ResponseWriter, r *http.Request) {
	next := localPath(r.PostFormValue("next"))
	if !s.Authenticate(strings.TrimSpace(r.PostFormValue("token"))) {
		s.render(w, r, http.StatusForbidden, "sign-in", frame{Title: "Sign in"}, signInView{Next: next, Refused: true})
		return
	}
	http.SetCookie(w, cookie(r, s.sessions.begin(), int(lifeTime.Seconds())))
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (s *server) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookieName(r)); err == nil {
		s.sessions.end(c.Value)
	}
	http.SetCookie(w, cookie(r, "", -1))
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}
