package staging_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// checklist 43: S3 and the token service repeat keys, in several forms, in their
// errors. No error of this package has them.
func TestEchoesOfKeysAreInNoError(t *testing.T) {
	t.Parallel()
	const (
		own       = "canary/own+secret=7f3a"
		temporary = "canary/temporary+secret=19bc"
		session   = "canary/session+token=55d0"
	)
	secrets := []string{own, temporary, session, "AKIACANARYOWN", "ASIACANARYTEMPORARY"}
	var said strings.Builder
	for _, secret := range secrets {
		fmt.Fprintf(&said, " %s %s %s", secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte("key:"+secret)))
	}
	refusal := "<Error><Code>%s</Code><Message>refused" + said.String() + "</Message></Error>"
	for name, c := range map[string]struct {
		role string
		// refused is what the far side refuses: the first call of S3, or of the token
		// service.
		refused string
		hidden  []string
	}{
		"S3 with configured keys":   {"", "S3", []string{own, "AKIACANARYOWN"}},
		"S3 with keys of a role":    {"arn:aws:iam::1:role/r", "S3", secrets},
		"the token service":         {"arn:aws:iam::1:role/r", "STS", []string{own, "AKIACANARYOWN"}},
		"a signature that is wrong": {"arn:aws:iam::1:role/r", "signature", secrets},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			s.cfg.AccessKeyID, s.cfg.SecretAccessKey, s.cfg.RoleARN = "AKIACANARYOWN", jobs.NewSecret(own), c.role
			answer := func(w http.ResponseWriter, r *http.Request) bool {
				_, _ = io.Copy(io.Discard, r.Body)
				sts := r.Method == http.MethodPost && r.URL.Path == "/"
				switch {
				case sts && c.refused == "STS":
					w.WriteHeader(http.StatusForbidden)
					_, _ = fmt.Fprintf(w, "<ErrorResponse>"+refusal+"</ErrorResponse>", "AccessDenied")
				case sts:
					_, _ = fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIACANARYTEMPORARY</AccessKeyId>
						<SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials>
						</AssumeRoleResult></AssumeRoleResponse>`, temporary, session, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
				default:
					code := map[string]string{"S3": "AccessDenied", "signature": "SignatureDoesNotMatch"}[c.refused]
					w.WriteHeader(http.StatusForbidden)
					_, _ = fmt.Fprintf(w, refusal, code)
				}
				return true
			}
			s.intercept.Store(&answer)
			_, err := staging.Open(t.Context(), s.cfg)
			var e *jobs.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), "refused [redacted]") {
				t.Fatalf("got %v, want what the far side said, without keys", err)
			}
			for _, secret := range c.hidden {
				for _, form := range []string{secret, url.QueryEscape(secret), base64.RawStdEncoding.EncodeToString([]byte("key:" + secret))[4:]} {
					if strings.Contains(err.Error(), form) {
						t.Errorf("%s is in %v", form, err)
					}
				}
			}
		})
	}
}
