package lytics

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Where Lytics is.
const (
	DefaultAPIURL  = "https://api.lytics.io"
	DefaultBulkURL = "https://bulk.lytics.io"
)

// Config is how to reach an account.
type Config struct {
	// Token gives the API token. It is called again after Lytics refused the
	// token that it gave before.
	Token func(ctx context.Context) (jobs.Secret, error)
	// APIURL and BulkURL default to Lytics's own.
	APIURL  string
	BulkURL string
	// AccountID chooses among the accounts of the token; empty is its default.
	AccountID string
	// UploadFormat is how events are written; empty is FormatJSONLines.
	UploadFormat UploadFormat
	// ProfileWait is how long AwaitProfiles waits; 0 means that it looks once.
	ProfileWait time.Duration
	// HTTP makes the calls; nil means a client of this package. Redirects are
	// never followed, so that the token goes to no other host.
	HTTP *http.Client
	// DB holds the cursor that Append commits, and the records of sends.
	DB        *store.DB
	UserAgent string
}

// Platform is the customer-data side of one account. Its methods may be called
// by several goroutines.
type Platform struct {
	api, bulk *url.URL
	account   string
	format    UploadFormat
	userAgent string
	http      *http.Client
	db        *store.DB
	token     tokenSource
	clock     *retry.Clock
	// schema is locked while the schema is changed, because all changes share
	// one draft.
	schema       sync.Mutex
	profileWait  time.Duration
	accountCheck accountCheck
	patches      patchMode
}

// connectTimeout bounds the making of a connection.
const connectTimeout = 15 * time.Second

// Open prepares the use of an account. It calls nothing.
func Open(c Config) (*Platform, error) {
	p := &Platform{
		account:   c.AccountID,
		format:    cmp.Or(c.UploadFormat, FormatJSONLines),
		userAgent: c.UserAgent,
		db:        c.DB,
		clock:     retry.SystemClock(),

		profileWait: c.ProfileWait,
	}
	p.token.read = c.Token
	if !slices.Contains(UploadFormats, p.format) {
		return nil, jobs.Invalid("platform.lytics.upload_format", fmt.Sprintf("There is no upload format %q", c.UploadFormat),
			fmt.Sprintf("the formats are %q", UploadFormats), "Choose one of them, or leave it out")
	}
	var err error
	if p.api, err = parseURL("platform.lytics.api_url", c.APIURL, DefaultAPIURL); err != nil {
		return nil, err
	}
	if p.bulk, err = parseURL("platform.lytics.bulk_url", c.BulkURL, DefaultBulkURL); err != nil {
		return nil, err
	}
	client := http.Client{}
	if c.HTTP != nil {
		client = *c.HTTP
	} else {
		client.Transport = egress.NewTransport(egress.Options{
			Rules: egress.Configured, Proxy: http.ProxyFromEnvironment, DialTimeout: connectTimeout,
		})
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p.http = &client
	return p, nil
}

// Close lets go of idle connections.
func (p *Platform) Close() error {
	p.http.CloseIdleConnections()
	return nil
}

// BuildProfiles has nothing to do: Lytics builds the profiles. See AwaitProfiles.
func (p *Platform) BuildProfiles(context.Context, func(done, total int64)) (platform.ProfileStats, error) {
	return platform.ProfileStats{}, nil
}

// parseURL takes the address of a host. The token travels in a header, so plain
// HTTP is for this machine alone.
func parseURL(attribute, text, fallback string) (*url.URL, error) {
	if text == "" {
		text = fallback
	}
	u, err := url.Parse(strings.TrimRight(text, "/"))
	bad := func(why string) error {
		return jobs.Invalid(attribute, "Lytics cannot be reached at that address", why,
			fmt.Sprintf("Give the scheme and the host, as in %s, or leave it out", fallback))
	}
	switch {
	case err != nil:
		// The parser's text repeats the address, which may hold a password.
		return nil, bad("it is no URL")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, bad("it is no URL of a host with https")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, bad("it holds more than scheme, host and path")
	case u.Scheme == "http" && !egress.IsLoopbackHost(u.Hostname()):
		return nil, bad("the API token would cross the network unencrypted")
	}
	return u, nil
}
