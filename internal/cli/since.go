package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// parseSince reads the value of --since: a period before now, or a time. The empty text is
// the zero time. A date begins at midnight UTC, like all times that the commands print.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime + "Z07:00", time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	period, err := time.ParseDuration(text)
	if days, isDays := strings.CutSuffix(text, "d"); err != nil && isDays {
		var n int
		if n, err = strconv.Atoi(days); err == nil {
			period = time.Duration(n) * 24 * time.Hour
		}
	}
	if err != nil || period <= 0 {
		return time.Time{}, jobs.Invalid("since", fmt.Sprintf("--since %q is neither a period nor a time", text),
			"A period is a positive number with a unit: m, h or d.", "Use a period such as 90m, 24h or 7d, or a time such as 2026-11-20 or "+
				"2026-11-20T06:30:00Z")
	}
	return now.Add(-period), nil
}
