package runner

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// The headers of an alert. The signature is "sha256=" and the hex HMAC-SHA-256
// of the timestamp, a dot and the body, by the shared secret.
const (
	TimestampHeader = "X-Lytics-Timestamp"
	SignatureHeader = "X-Lytics-Signature"
)

// webhookTimeout bounds one delivery attempt.
const webhookTimeout = 15 * time.Second

// webhook posts alerts to one URL.
type webhook struct {
	url    string
	secret jobs.Secret
	client *http.Client
}

func newWebhook(address string, secret jobs.Secret, allowPrivate bool, proxy egress.ProxyFunc) (*webhook, error) {
	u, err := url.Parse(address)
	invalid := func(detail string) error {
		return jobs.Invalid("alerts.url", "Alerts cannot be sent to this URL", detail, "Write it as https://HOST/PATH")
	}
	switch {
	case err != nil:
		return nil, invalid("It is not a URL.") // the error's text would contain the URL, which may hold a secret
	case u.Host == "":
		return nil, invalid("It has no host.")
	case u.Scheme != "https" && (u.Scheme != "http" || !allowPrivate):
		return nil, invalid("It is not https, so the network could read what failed, and why.")
	}
	transport := egress.NewTransport(egress.Options{
		Rules: egress.Rules{Private: allowPrivate, Loopback: allowPrivate}, Proxy: proxy, DialTimeout: webhookTimeout,
	})
	// The text of an answer is not used. Inflating it would let a receiver keep a core busy, with
	// gzip members that inflate to nothing.
	transport.DisableCompression = true
	if u.Scheme == "http" {
		// A proxy could forward the unencrypted alert to any address.
		transport.Proxy, transport.DialContext = nil, privateNetworksOnly(transport.DialContext)
	}
	return &webhook{url: address, secret: secret, client: &http.Client{
		Timeout: webhookTimeout, Transport: transport,
		// Only the configuration chooses the receiver: redirects are not followed.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// privateNetworksOnly refuses connections that leave private networks. It
// guards unencrypted alerts.
func privateNetworksOnly(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if at, ok := conn.RemoteAddr().(*net.TCPAddr); ok && (at.IP.IsLoopback() || at.IP.IsPrivate()) {
			return conn, nil
		}
		return nil, errors.Join(errors.New("alerts.url is not https, and the receiver is not on a private network"), conn.Close())
	}
}

// send posts one alert. The alert is delivered if the answer has a 2xx status.
func (w *webhook) send(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "terraform-provider-lytics")
	if !w.secret.Empty() {
		req.Header.Set(TimestampHeader, at)
		req.Header.Set(SignatureHeader, "sha256="+sign(w.secret, at, body))
	}
	resp, err := w.client.Do(req)
	if err != nil {
		// The log already names the receiver; its URL may hold a token and stays
		// out.
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be reused
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		// The text of the status is the receiver's.
		return fmt.Errorf("the receiver answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return nil
}

func sign(secret jobs.Secret, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
