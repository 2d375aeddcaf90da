package s3

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
)

// identity is who a credential belongs to.
type identity struct {
	objectstore.Credential
	arn string
	// expires is zero for the long-lived credential.
	expires time.Time
	// policy narrows it; nil allows everything.
	policy *policy
	// role is set for sessions of an assumed role.
	role string
}

func (i *identity) longLived() bool { return i.expires.IsZero() }

// identities are the long-lived credential and those minted from it.
type identities struct {
	mu     sync.Mutex
	minted map[string]*identity
}

// account is the sandbox's, at AWS.
const account = "000000000000"

// mint makes a credential that expires.
func (s *Store) mint(arn, role string, p *policy, life time.Duration) *identity {
	i := &identity{
		Credential: objectstore.Credential{
			AccessKey:    "ASIA" + rand.Text()[:16],
			SecretKey:    rand.Text() + rand.Text()[:14],
			SessionToken: rand.Text() + rand.Text(),
		},
		arn: arn, role: role, policy: p, expires: time.Now().Add(life),
	}
	s.ids.mu.Lock()
	defer s.ids.mu.Unlock()
	if s.ids.minted == nil {
		s.ids.minted = map[string]*identity{}
	}
	s.ids.minted[i.AccessKey] = i
	return i
}

// identify finds who an access key belongs to, and refuses what has expired.
func (s *Store) identify(accessKey, sessionToken string) (*identity, error) {
	i := &identity{Credential: s.options.Credential, arn: "arn:aws:iam::" + account + ":user/sandbox"}
	if accessKey != i.AccessKey {
		s.ids.mu.Lock()
		i = s.ids.minted[accessKey]
		s.ids.mu.Unlock()
	}
	switch {
	case i == nil:
		return nil, &Error{http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."}
	case sessionToken != i.SessionToken:
		return nil, errToken
	case !i.longLived() && time.Now().After(i.expires):
		return nil, &Error{http.StatusBadRequest, "ExpiredToken", "The provided token has expired."}
	}
	return i, nil
}

// permit refuses what an identity may not do.
func (i *identity) permit(a access) error {
	if i.policy == nil || i.policy.allows(a) {
		return nil
	}
	return &Error{
		http.StatusForbidden,
		"AccessDenied",
		"User: " + i.arn + " is not authorized to perform: " + a.action + " on resource: " + a.resource() + " because no session policy allows the " + a.action + " action",
	}
}

// check is the engine's way in: COPY INTO with a credential, with the name of
// one, or at an external location.
func (s *Store) check(c objectstore.Credential, accesses ...access) error {
	switch {
	case c.Name != "":
		if c.Name == s.options.StorageCredential {
			return nil
		}
		return &Error{http.StatusForbidden, "AccessDenied", "Storage credential '" + c.Name + "' does not exist or is not accessible."}
	case c.AccessKey == "" && s.options.ExternalLocation:
		return nil
	case c.AccessKey == "":
		return &Error{http.StatusForbidden, "AccessDenied", "Access Denied"}
	}
	i, err := s.identify(c.AccessKey, c.SessionToken)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(c.SecretKey), []byte(i.SecretKey)) != 1 {
		return errSignature
	}
	if i.longLived() && s.options.ShortLivedOnly {
		return &Error{http.StatusForbidden, "AccessDenied", "Access Denied: long-lived keys are not taken in a statement."}
	}
	for _, a := range accesses {
		if err := i.permit(a); err != nil {
			return err
		}
	}
	return nil
}

// wanted is what a request of S3's protocol does.
func wanted(r *http.Request) access {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	query := r.URL.Query()
	a := access{bucket: bucket, key: key, prefix: query.Get("prefix")}
	switch name := operation(r, key); name {
	case "GetObject", "HeadObject":
		a.action = "s3:GetObject"
	case "PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload":
		a.action = "s3:PutObject"
	case "AbortMultipartUpload":
		a.action = "s3:AbortMultipartUpload"
	case "DeleteObject":
		a.action = "s3:DeleteObject"
		if key == "" {
			a.key = "*"
		}
	case "ListObjects":
		switch {
		case query.Has("location"):
			a.action = "s3:GetBucketLocation"
		case query.Has("uploads"):
			a.action = "s3:ListBucketMultipartUploads"
		default:
			a.action = "s3:ListBucket"
		}
	default:
		a.action = "s3:" + name
	}
	return a
}
