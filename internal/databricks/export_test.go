package databricks

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
)

// RedactFor removes the secrets of a context, and credentials, from a text.
func RedactFor(ctx context.Context, text string) string {
	defer context.WithoutCancel(ctx) // holds the secrets until here
	return redact.Text(text)
}

// ForgetMovedTimes and TimeOfText read the times of commits.
var (
	ForgetMovedTimes = forgetMovedTimes
	TimeOfText       = timeOfText
)

// Inflate inflates an LZ4 frame.
func Inflate(frame []byte, limit int64) ([]byte, error) {
	content, err := inflate(frame, limit)
	if err != nil {
		return nil, err
	}
	return content.Bytes(), nil
}

// InflatePage inflates the batches of a page.
func InflatePage(limit int64, frames ...[]byte) error {
	c := &call{inflateLimit: limit, shape: resultShape{lz4: true}}
	var parts []part
	var body []byte
	for _, frame := range frames {
		parts = append(parts, part{inline: true, from: len(body), to: len(body) + len(frame)})
		body = append(body, frame...)
	}
	return c.inflate(parts, body)
}

// LimitInflated sets the largest size of what a page or a file inflates to.
func (w *Warehouse) LimitInflated(bytes int64) { w.transport.inflateLimit = bytes }
