package staging

import (
	"context"
	"net"
	"time"
)

// HurryRetries makes the pauses between attempts short, for all buckets of the process.
func HurryRetries() { longestPause = time.Millisecond }

// WithDial returns a configuration whose connections are made by a function.
func WithDial(cfg S3Config, dial func(ctx context.Context, network, address string) (net.Conn, error)) S3Config {
	cfg.dial = dial
	return cfg
}
