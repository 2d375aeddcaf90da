package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// clouds are the storages without an API of S3 that a configuration may name by mistake:
// the schemes of their URLs, and the ends of their hosts.
var clouds = []struct {
	name    string
	schemes []string
	hosts   []string
}{
	{"Azure storage", []string{"abfss", "abfs", "wasbs", "wasb", "adl"}, []string{".core.windows.net", ".fabric.microsoft.com"}},
	{"The Databricks file system", []string{"dbfs"}, nil},
}

// check refuses a bucket that is a location of another cloud.
func (s *S3) check() (errs []error) {
	if s == nil {
		return nil
	}
	const volume = "Create an external volume in the external location (CREATE EXTERNAL VOLUME main.marketing.staging LOCATION '...'), " +
		"or a managed volume, and set staging.volume; for events of a fleet, set events.volume"
	scheme, rest, isURL := strings.Cut(s.Bucket, "://")
	endpoint, err := url.Parse(s.Endpoint)
	for _, c := range clouds {
		switch {
		case isURL && slices.Contains(c.schemes, strings.ToLower(scheme)):
			errs = append(errs, jobs.Invalid("staging.s3.bucket", "The location is not in S3",
				fmt.Sprintf("%s has no API of S3, and %s is reached through Unity Catalog.", c.name, s.Bucket), volume))
		case err == nil && slices.ContainsFunc(c.hosts, func(h string) bool { return strings.HasSuffix(endpoint.Hostname(), h) }):
			errs = append(errs, jobs.Invalid("staging.s3.endpoint", "The endpoint is not one of S3", c.name+" has no API of S3.", volume))
		}
	}
	if isURL && strings.EqualFold(scheme, "gs") {
		bucket, _, _ := strings.Cut(rest, "/")
		errs = append(errs, jobs.Invalid("staging.s3.bucket", "A bucket is given with its scheme", fmt.Sprintf("The bucket is %q.", s.Bucket),
			fmt.Sprintf("Set staging.volume; or set bucket = %q, endpoint = \"https://storage.googleapis.com\", HMAC keys as access_key_id and "+
				"secret_access_key, and external_location", bucket)))
	}
	return errs
}
