package page

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type signInView struct {
	Next    string
	Refused bool
	// Ended is whether there is a session whose token is not valid at this runner.
	Ended bool
	// Wait is for how many seconds no token is accepted.
	Wait int
	// Code is a valid code of a link, and Who has its token.
	Code string
	Who  jobs.Actor
	// Used is whether the code of the link is not valid.
	Used bool
}

func (s *server) showSignInPage(w http.ResponseWriter, r *http.Request, status int, v signInView) {
	s.render(w, r, status, "sign-in", frame{Title: "Sign in"}, v)
}

func (s *server) showSignIn(w http.ResponseWriter, r *http.Request) {
	if code := r.FormValue("code"); code != "" {
		s.followLink(w, r, code)
		return
	}
	next := localPath(r.FormValue("next"))
	// If the store cannot be read, the next page says so.
	v, err := s.readVisit(r)
	if v != nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	s.showSignInPage(w, r, http.StatusOK, signInView{Next: next, Ended: errors.Is(err, errTokenEnded)})
}

// followLink signs in with the code of a link that somebody opened by hand, as in a
// terminal. A link on another site or in a chat may be opened by programs that look at
// it, or by somebody who did not mean to sign in: it shows a button, and only the button
// uses the code.
func (s *server) followLink(w http.ResponseWriter, r *http.Request, code string) {
	if r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Site") == "none" && r.Header.Get("Sec-Fetch-Mode") == "navigate" &&
		r.Header.Get("Sec-Purpose") == "" {
		s.signInByCode(w, r, code)
		return
	}
	token, err := s.Sessions.SignInCode(r.Context(), jobs.HashToken(code))
	var who jobs.Actor
	if err == nil {
		who, err = s.TokenOf(r.Context(), token)
	}
	switch {
	case jobs.IsCode(err, jobs.CodeNotFound):
		s.showSignInPage(w, r, http.StatusForbidden, signInView{Next: "/", Used: true})
	case err != nil:
		s.fail(w, r, "", err)
	default:
		s.showSignInPage(w, r, http.StatusOK, signInView{Next: "/", Code: code, Who: who})
	}
}

// signInByCode signs in with a code, which ends.
func (s *server) signInByCode(w http.ResponseWriter, r *http.Request, code string) {
	token, err := s.Sessions.UseSignInCode(r.Context(), jobs.HashToken(code))
	var who jobs.Actor
	if err == nil {
		who, err = s.TokenOf(r.Context(), token)
	}
	if jobs.IsCode(err, jobs.CodeNotFound) {
		s.showSignInPage(w, r, http.StatusForbidden, signInView{Next: "/", Used: true})
		return
	}
	if err != nil {
		s.fail(w, r, "", err)
		return
	}
	s.begin(w, r, who, token, "/")
}

func (s *server) signIn(w http.ResponseWriter, r *http.Request) {
	if code := r.PostFormValue("code"); code != "" {
		s.signInByCode(w, r, code)
		return
	}
	next, token := localPath(r.PostFormValue("next")), strings.TrimSpace(r.PostFormValue("token"))
	who, wait, err := s.SignIn(r, token)
	switch {
	case wait > 0:
		seconds := int((wait + time.Second - 1) / time.Second)
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		s.showSignInPage(w, r, http.StatusTooManyRequests, signInView{Next: next, Wait: seconds})
	case jobs.IsCode(err, jobs.CodeUnauthorized):
		s.showSignInPage(w, r, http.StatusForbidden, signInView{Next: next, Refused: true})
	case err != nil:
		s.fail(w, r, "", err)
	default:
		s.begin(w, r, who, jobs.HashToken(token), next)
	}
}

// begin begins a session of a token, and goes to a page.
func (s *server) begin(w http.ResponseWriter, r *http.Request, who jobs.Actor, token jobs.TokenHash, next string) {
	who.Via, who.Address = jobs.ViaPage, remoteAddress(r)
	now, secret := s.Now(), rand.Text()
	err := s.Sessions.BeginSession(jobs.WithActor(r.Context(), who), jobs.HashToken(secret),
		jobs.Session{Token: token, Begun: now, Used: now}, now.Add(-idleTime))
	if err != nil {
		s.fail(w, r, "", err)
		return
	}
	http.SetCookie(w, cookie(r, secret, int(lifeTime.Seconds())))
	http.Redirect(w, r, next, http.StatusSeeOther)
}
