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

// The addresses of Lytics.
const (
	DefaultAPIURL  = "https://api.lytics.io"
	DefaultBulkURL = "https://bulk.lytics.io"
)

// Config is the configuration of a Lytics account.
type Config struct {
	// Token returns the API token. It is called again after Lytics refused the token.
	Token func(ctx context.Context) (jobs.Secret, error)
	// APIURL and BulkURL are the addresses of Lytics; empty means the defaults.
	APIURL  string
	BulkURL string
	// AccountID selects one of the token's accounts; empty means the default account.
	AccountID string
	// UploadFormat is the format of events; empty means FormatJSONLines.
	UploadFormat UploadFormat
	// ProfileWait is the time for which AwaitProfiles waits; 0 means that it checks once.
	ProfileWait time.Duration
	// HTTP makes the calls; nil means a client of this package. Redirects are never
	// followed, so that the token is not sent to another host.
	HTTP *http.Client
	// DB holds the cursor that Append commits, and the records of sent events.
	// Without it only JudgeDraft may be called, which asks the token's account.
	DB        *store.DB
	UserAgent string
}

// Platform is the customer-data platform of one account. Several goroutines may call its
// methods.
type Platform struct {
	api, bulk *url.URL
	account   string
	format    UploadFormat
	userAgent string
	http      *http.Client
	db        *store.DB
	token     tokenSource
	clock     *retry.Clock
	// backOff is the pause of all requests with events.
	backOff retry.Shared
	// schema is locked during a change of the schema, because all changes share one
	// draft.
	schema       sync.Mutex
	profileWait  time.Duration
	accountCheck accountCheck
	patches      patchMode
}

// connectTimeout limits the time to connect.
const connectTimeout = 15 * time.Second

// Open returns the platform of an account. It sends no request.
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
		transport := egress.NewTransport(egress.Options{
			Rules: egress.Configured, Proxy: http.ProxyFromEnvironment, DialTimeout: connectTimeout,
		})
		transport.MaxIdleConnsPerHost = parallelScans
		client.Transport = transport
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p.http = &client
	return p, nil
}

// Close closes idle connections.
func (p *Platform) Close() error {
	p.http.CloseIdleConnections()
	return nil
}

// BuildProfiles does nothing, because Lytics builds the profiles. See AwaitProfiles.
func (p *Platform) BuildProfiles(context.Context, func(done, total int64)) (platform.ProfileStats, error) {
	return platform.ProfileStats{}, nil
}

// parseURL parses the address of a host. It allows plain HTTP for this machine only, because
// the token is sent in a header.
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
		// The parser's error contains the address, which may contain a password.
		return nil, bad("it is not a URL")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, bad("it is not an https URL with a host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, bad("it contains more than scheme, host and path")
	case u.Scheme == "http" && !egress.IsLoopbackHost(u.Hostname()):
		return nil, bad("the API token would cross the network unencrypted")
	}
	return u, nil
}
