package s3

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
)

// The limits of a credential's duration, in seconds.
const (
	minDuration    = 900
	maxChainedRole = 3600
	maxFederation  = 129_600
	maxRole        = 43_200
)

// isSTS reports whether a request is for the token service. It shares the
// endpoint of S3, as in some S3-compatible stores.
func isSTS(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/" &&
		strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

const maxForm = 64 << 10

// serveSTS answers AssumeRole, GetFederationToken and GetCallerIdentity.
func (s *Store) serveSTS(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		refuseSTS(w, err)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	digest := sha256.Sum256(body)
	who, err := s.authorize(r, hex.EncodeToString(digest[:]))
	if err != nil {
		refuseSTS(w, err)
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		refuseSTS(w, err)
		return
	}
	if hit, ok := s.options.Faults.Trigger(fault.Call{Name: form.Get("Action")}, fault.S3Error); ok {
		refuseSTS(w, &Error{Status: hit.Status, Code: errorCode(hit.Status), Message: hit.Message})
		return
	}
	var answer any
	switch form.Get("Action") {
	case "AssumeRole":
		answer, err = s.assumeRole(who, form)
	case "GetFederationToken":
		answer, err = s.getFederationToken(who, form)
	case "GetCallerIdentity":
		answer = callerIdentityReply{Arn: who.arn, UserID: who.AccessKey, Account: account}
	default:
		err = &Error{
			http.StatusBadRequest,
			"InvalidAction",
			"Could not find operation " + form.Get("Action") + " for version " + form.Get("Version"),
		}
	}
	if err != nil {
		refuseSTS(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(answer)
}

func refuseSTS(w http.ResponseWriter, err error) {
	e := &Error{Status: http.StatusBadRequest, Code: "MalformedInput", Message: err.Error()}
	errors.As(err, &e)
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(e.Status)
	_ = xml.NewEncoder(w).Encode(stsErrorReply{Code: e.Code, Message: e.Message})
}

type stsErrorReply struct {
	XMLName xml.Name `xml:"ErrorResponse"`
	Type    string   `xml:"Error>Type"`
	Code    string   `xml:"Error>Code"`
	Message string   `xml:"Error>Message"`
}

type callerIdentityReply struct {
	XMLName xml.Name `xml:"GetCallerIdentityResponse"`
	Arn     string   `xml:"GetCallerIdentityResult>Arn"`
	UserID  string   `xml:"GetCallerIdentityResult>UserId"`
	Account string   `xml:"GetCallerIdentityResult>Account"`
}

type stsCredentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

func (i *identity) stsCredentials() stsCredentials {
	return stsCredentials{i.AccessKey, i.SecretKey, i.SessionToken, i.expires.UTC().Format(time.RFC3339)}
}

type assumeRoleReply struct {
	XMLName     xml.Name       `xml:"AssumeRoleResponse"`
	Credentials stsCredentials `xml:"AssumeRoleResult>Credentials"`
	Arn         string         `xml:"AssumeRoleResult>AssumedRoleUser>Arn"`
	RoleID      string         `xml:"AssumeRoleResult>AssumedRoleUser>AssumedRoleId"`
}

type federationReply struct {
	XMLName     xml.Name       `xml:"GetFederationTokenResponse"`
	Credentials stsCredentials `xml:"GetFederationTokenResult>Credentials"`
	Arn         string         `xml:"GetFederationTokenResult>FederatedUser>Arn"`
	UserID      string         `xml:"GetFederationTokenResult>FederatedUser>FederatedUserId"`
}

var sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

// assumeRole returns a session of the one role. A session may assume the role
// again, for at most an hour (role chaining).
func (s *Store) assumeRole(who *identity, form url.Values) (any, error) {
	role, name := form.Get("RoleArn"), form.Get("RoleSessionName")
	if role != s.options.RoleARN || who.policy != nil || form.Get("ExternalId") != s.options.ExternalID {
		return nil, &Error{
			http.StatusForbidden,
			"AccessDenied",
			fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", who.arn, role),
		}
	}
	if !sessionName.MatchString(name) {
		return nil, &Error{
			http.StatusBadRequest,
			"ValidationError",
			"1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint",
		}
	}
	life, err := requestedDuration(form, maxChainedRole, maxRole)
	if err != nil {
		return nil, err
	}
	most, why := s.options.RoleMaxSession, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
	if who.role != "" {
		most, why = maxChainedRole*time.Second, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "+
			"role chaining"
	}
	if life > most {
		return nil, &Error{http.StatusBadRequest, "ValidationError", why}
	}
	var p *policy
	if text := form.Get("Policy"); text != "" {
		if p, err = parsePolicy(text); err != nil {
			return nil, &Error{http.StatusBadRequest, "MalformedPolicyDocument", err.Error()}
		}
	}
	_, roleName, _ := strings.Cut(role, ":role/")
	i := s.mint("arn:aws:sts::"+account+":assumed-role/"+roleName+"/"+name, role, p, life)
	return assumeRoleReply{Credentials: i.stsCredentials(), Arn: i.arn, RoleID: "AROA" + account + ":" + name}, nil
}

// getFederationToken returns a session for the long-lived credential, which may
// do what the policy allows; without a policy, nothing.
func (s *Store) getFederationToken(who *identity, form url.Values) (any, error) {
	if !who.longLived() {
		return nil, &Error{http.StatusForbidden, "AccessDenied", "Cannot call GetFederationToken with session credentials"}
	}
	name := form.Get("Name")
	if len(name) > 32 || !sessionName.MatchString(name) {
		return nil, &Error{http.StatusBadRequest, "ValidationError", "1 validation error detected: Value at 'name' failed to satisfy constraint"}
	}
	life, err := requestedDuration(form, maxRole, maxFederation)
	if err != nil {
		return nil, err
	}
	p := &policy{}
	if text := form.Get("Policy"); text != "" {
		if p, err = parsePolicy(text); err != nil {
			return nil, &Error{http.StatusBadRequest, "MalformedPolicyDocument", err.Error()}
		}
	}
	i := s.mint("arn:aws:sts::"+account+":federated-user/"+name, "", p, life)
	return federationReply{Credentials: i.stsCredentials(), Arn: i.arn, UserID: account + ":" + name}, nil
}

func requestedDuration(form url.Values, otherwise, most int) (time.Duration, error) {
	seconds := otherwise
	if text := form.Get("DurationSeconds"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < minDuration || n > most {
			return 0, &Error{
				http.StatusBadRequest,
				"ValidationError",
				fmt.Sprintf(
					"1 validation error detected: Value '%s' at 'durationSeconds' failed to satisfy constraint: Member must have value between %d and %d",
					text,
					minDuration,
					most,
				),
			}
		}
		seconds = n
	}
	return time.Duration(seconds) * time.Second, nil
}
