package store

import (
	"crypto/rand"
	"regexp"
	"strings"
	"time"
)

// lockRetry is the interval at which a held lock is tried again.
const lockRetry = 50 * time.Millisecond

// redactedBySpark matches the texts that Spark shows as "*********(redacted)" where it lists
// the properties of a table: the defaults of spark.redaction.regex and of
// spark.sql.redaction.options.regex (https://spark.apache.org/docs/latest/configuration.html).
// An export finds its table by the id of its job in such a property.
var redactedBySpark = regexp.MustCompile(`url|secret|password|token|accesskey`)

// NewID returns a random id with the prefix of its kind: "job_3k9f...". It has 26
// random characters, in lower case so that names and paths can contain it.
func NewID(prefix string) string { return newID(prefix, rand.Text) }

func newID(prefix string, text func() string) string {
	for {
		if id := strings.ToLower(text()); !redactedBySpark.MatchString(id) {
			return prefix + "_" + id
		}
	}
}
