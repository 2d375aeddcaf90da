package page

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// A session ends after idleTime without use, at the latest lifeTime after the
// sign-in, and with the token that opened it. It is in the store, so that it
// survives a restart, and that every runner of the store accepts it.
const (
	idleTime = 12 * time.Hour
	lifeTime = 7 * 24 * time.Hour
	// noteUse is how often the use of a session is written.
	noteUse = time.Minute
)

// notice is the result of an action. It is shown for some time and not only
// once, because the page is fetched again every second.
type notice struct {
	Text, Why, Next string
	Failed          bool
	Until           time.Time
}

// visit is a request with a session.
type visit struct {
	// key is the hash of the cookie: no usable cookie is in the store.
	key     jobs.TokenHash
	session jobs.Session
	who     jobs.Actor
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

// errTokenEnded means that the token of a session is not valid at this runner: it has
// expired, was taken out of the configuration, or is the own token of another runner.
var errTokenEnded = errors.New("the session's token is not valid")

type visitKey struct{}

// visitOf is the visit of a request behind signedIn; nil for any other.
func visitOf(r *http.Request) *visit {
	v, _ := r.Context().Value(visitKey{}).(*visit)
	return v
}

// readVisit reads the session of a request's cookie; nil means that there is none,
// or that it has ended, and errTokenEnded says that its token is not valid.
func (s *server) readVisit(r *http.Request) (*visit, error) {
	c, err := r.Cookie(cookieName(r))
	if err != nil {
		return nil, nil //nolint:nilerr // no cookie is no session
	}
	ctx, v := r.Context(), &visit{key: jobs.HashToken(c.Value)}
	v.session, err = s.Sessions.Session(ctx, v.key)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if now := s.Now(); now.Sub(v.session.Used) > idleTime || now.Sub(v.session.Begun) > lifeTime {
		return nil, nil
	}
	v.who, err = s.TokenOf(ctx, v.session.Token)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return nil, errTokenEnded
	}
	if err != nil {
		return nil, err
	}
	v.who.Via, v.who.Address = jobs.ViaPage, remoteAddress(r)
	return v, nil
}

// signedIn requires a session; requests without one are redirected to the
// sign-in page.
func (s *server) signedIn(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := s.readVisit(r)
		if err != nil && !errors.Is(err, errTokenEnded) {
			s.fail(w, r, "", err)
			return
		}
		if v == nil {
			to := "/sign-in"
			if r.Method == http.MethodGet && r.URL.Path != "/" {
				to += "?next=" + url.QueryEscape(r.URL.RequestURI())
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		if now := s.Now(); now.Sub(v.session.Used) > noteUse {
			v.session.Used = now
			// A store that cannot be written, as with a full disk, still shows its pages;
			// the session only ends earlier.
			_ = s.Sessions.UpdateSession(r.Context(), v.key, v.session)
		}
		next(w, r.WithContext(jobs.WithActor(context.WithValue(r.Context(), visitKey{}, v), v.who)))
	})
}

// operating is signedIn for an action, which needs the role operate.
func (s *server) operating(next http.HandlerFunc) http.Handler {
	return s.signedIn(func(w http.ResponseWriter, r *http.Request) {
		if who := visitOf(r).who; !who.Role.Allows(jobs.RoleOperate) {
			s.render(w, r, http.StatusForbidden, "error", frame{Title: "Not allowed"}, errorView{
				Heading: "The token " + strconv.Quote(who.Name) + " may not do this",
				Cause: explanation{Why: "It has the role " + string(who.Role) + ", and this needs the role operate.",
					Next: "Sign in with a token that has the role operate or admin"},
			})
			return
		}
		next(w, r)
	})
}

// leaveNotice stores a notice in the session of the request. A notice that cannot
// be stored is not shown: the action has been done or has failed all the same.
func (s *server) leaveNotice(r *http.Request, n notice) {
	n.Until = s.Now().Add(8 * time.Second)
	if n.Failed {
		n.Until = s.Now().Add(time.Minute)
	}
	text, err := json.Marshal(n)
	if v := visitOf(r); v != nil && err == nil {
		v.session.Notice = string(text)
		_ = s.Sessions.UpdateSession(r.Context(), v.key, v.session)
	}
}

func (s *server) noticeOf(v *visit) (n notice) {
	if v.session.Notice == "" || json.Unmarshal([]byte(v.session.Notice), &n) != nil || !s.Now().Before(n.Until) {
		return notice{}
	}
	return n
}

func (s *server) signOut(w http.ResponseWriter, r *http.Request) {
	v, err := s.readVisit(r)
	if err == nil && v != nil {
		err = s.Sessions.EndSession(jobs.WithActor(r.Context(), v.who), v.key)
	}
	if err != nil && !errors.Is(err, errTokenEnded) {
		s.fail(w, r, "", err) // the session goes on
		return
	}
	http.SetCookie(w, cookie(r, "", -1))
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// remoteAddress is the IP address of a request's sender, or of the proxy before it.
func remoteAddress(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}
