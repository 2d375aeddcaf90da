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

// identity is the owner of a credential.
type identity struct {
	objectstore.Credential
	arn string
	// expires is zero for the long-lived credential.
	expires time.Time
	// policy restricts the identity; nil allows everything.
	policy *policy
	// role is the ARN of the assumed role, if the credential is a session of one.
	role string
}

func (i *identity) longLived() bool { return i.expires.IsZero() }

// mintedCredentials holds the credentials that the token service minted.
type mintedCredentials struct {
	mu          sync.Mutex
	byAccessKey map[string]*identity
}

// account is the AWS account id in the sandbox's ARNs.
const account = "000000000000"

// mint creates a credential that expires.
func (s *Store) mint(arn, role string, p *policy, life time.Duration) *identity {
	i := &identity{
		Credential: objectstore.Credential{
			AccessKey:    "ASIA" + rand.Text()[:16],
			SecretKey:    rand.Text() + rand.Text()[:14],
			SessionToken: rand.Text() + rand.Text(),
		},
		arn: arn, role: role, policy: p, expires: time.Now().Add(life),
	}
	s.minted.mu.Lock()
	defer s.minted.mu.Unlock()
	if s.minted.byAccessKey == nil {
		s.minted.byAccessKey = map[string]*identity{}
	}
	s.minted.byAccessKey[i.AccessKey] = i
	return i
}

// identify returns the owner of an access key, or an error if the credential is
// unknown or has expired.
func (s *Store) identify(accessKey, sessionToken string) (*identity, error) {
	i := &identity{Credential: s.options.Credential, arn: "arn:aws:iam::" + account + ":user/sandbox"}
	if accessKey != i.AccessKey {
		s.minted.mu.Lock()
		i = s.minted.byAccessKey[accessKey]
		s.minted.mu.Unlock()
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

// permit returns an error if the identity's policy does not allow the access.
func (i *identity) permit(a access) error {
	if i.policy == nil || i.policy.allows(a) {
		return nil
	}
	return &Error{
		http.StatusForbidden,
		"AccessDenied",
		"User: " + i.arn + " is not authorized to perform: " + a.action + " on resource: " + a.resource() + " because no session " +
			"policy allows the " + a.action + " action",
	}
}

// authorizeEngine checks the credential of a COPY INTO: a key, the name of a
// storage credential, or none at an external location.
func (s *Store) authorizeEngine(c objectstore.Credential, accesses ...access) error {
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

// accessOf returns the access that an S3 request needs.
func accessOf(r *http.Request) access {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	query := r.URL.Query()
	a := access{bucket: bucket, key: key, prefix: query.Get("prefix")}
	switch name := operationName(r, key); name {
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
