package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// environment fills settings that are not set yet.
type environment struct {
	lookup func(string) (string, bool)
	// override fills settings that are set, too, where a variable is.
	override bool
	errs     []error
}

// value returns a variable for a setting; "" if there is none, or if the setting keeps its
// value.
func (e *environment) value(set bool, name string) string {
	if set && !e.override {
		return ""
	}
	text, _ := e.lookup(name)
	return text
}

func (e *environment) text(p *string, name string) {
	if text := e.value(*p != "", name); text != "" {
		*p = text
	}
}

// texts fills a list from a text with commas.
func (e *environment) texts(p *[]string, name string) {
	if text := e.value(*p != nil, name); text != "" {
		*p = split(text)
	}
}

func split(text string) (values []string) {
	for value := range strings.SplitSeq(text, ",") {
		values = append(values, strings.TrimSpace(value))
	}
	return values
}

func (e *environment) secret(p *Secret, name string) {
	if text := strings.TrimSpace(e.value(!p.Empty(), name)); text != "" {
		p.Secret = jobs.NewSecret(text)
	}
}

func (e *environment) flag(p **bool, attribute, name string) {
	text := e.value(*p != nil, name)
	if text == "" {
		return
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		e.invalid(attribute, name, text, "true or false")
	}
	*p = &b
}

func (e *environment) number(p *int, attribute, name string) {
	text := e.value(*p != 0, name)
	if text == "" {
		return
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		e.invalid(attribute, name, text, "a number")
	}
	*p = n
}

// count fills a number that may be 0.
func (e *environment) count(p **int, attribute, name string) {
	text := e.value(*p != nil, name)
	if text == "" {
		return
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		e.invalid(attribute, name, text, "a number")
	}
	*p = &n
}

func (e *environment) invalid(attribute, name, text, want string) {
	e.errs = append(e.errs, jobs.Invalid(attribute, "An environment variable cannot be read", fmt.Sprintf("%s is %q.", name, text),
		"Set it to "+want+", or unset it"))
}

// staging fills the bucket and the volume. The environment alone can set
// either.
func (e *environment) staging(c *Engine) {
	given := Staging{}
	if c.Staging != nil {
		given = *c.Staging
	}
	out := Staging{S3: e.s3(given.S3), Volume: e.volume(given.Volume)}
	if out.S3 != nil || out.Volume != nil {
		c.Staging = &out
	}
}

func (e *environment) s3(given *S3) *S3 {
	const env = "LYTICS_STAGING_S3_"
	s := S3{}
	if given != nil {
		s = *given
	}
	e.text(&s.Bucket, env+"BUCKET")
	if s.Bucket == "" {
		if given != nil {
			e.errs = append(e.errs, jobs.Invalid("staging.s3.bucket", "The staging bucket has no name",
				"staging.s3 is given without bucket, and LYTICS_STAGING_S3_BUCKET is not set.", "Set one of them, or leave staging out "+
					"if nothing is exported"))
		}
		return nil
	}
	e.text(&s.Prefix, env+"PREFIX")
	e.text(&s.Region, env+"REGION")
	e.text(&s.Endpoint, env+"ENDPOINT")
	e.flag(&s.UsePathStyle, "staging.s3.use_path_style", env+"USE_PATH_STYLE")
	e.text(&s.RoleARN, env+"ROLE_ARN")
	e.text(&s.ExternalID, env+"EXTERNAL_ID")
	e.text(&s.STSEndpoint, env+"STS_ENDPOINT")
	e.text(&s.Credential, env+"CREDENTIAL")
	e.text(&s.ExternalLocation, env+"EXTERNAL_LOCATION")
	// The two keys are one credential, so the environment fills both or none:
	// an access key from one source with the secret of another never works.
	none := s.AccessKeyID == "" && s.SecretAccessKey.Empty() && s.Profile == ""
	if key, _ := e.lookup(env + "ACCESS_KEY_ID"); e.override && key != "" {
		none, s.AccessKeyID, s.SecretAccessKey = true, "", Secret{}
	}
	e.text(&s.Profile, env+"PROFILE")
	if none {
		e.text(&s.AccessKeyID, env+"ACCESS_KEY_ID")
		e.secret(&s.SecretAccessKey, env+"SECRET_ACCESS_KEY")
	}
	if (s.AccessKeyID == "") != s.SecretAccessKey.Empty() {
		e.errs = append(e.errs, jobs.Invalid("staging.s3.access_key_id", "Half of the staging credential is missing",
			"An access key has two parts, access_key_id and secret_access_key.",
			"Set both in the configuration or both in the environment, or neither to use the AWS credential chain"))
	}
	return &s
}

func (e *environment) volume(given *Volume) *Volume {
	const env = "LYTICS_STAGING_VOLUME_"
	v := Volume{}
	if given != nil {
		v = *given
	}
	e.text(&v.Catalog, env+"CATALOG")
	e.text(&v.Schema, env+"SCHEMA")
	e.text(&v.Volume, env+"VOLUME")
	e.text(&v.Prefix, env+"PREFIX")
	switch {
	case given == nil && v.Catalog == "" && v.Schema == "" && v.Volume == "":
		return nil
	case v.Catalog == "" || v.Schema == "" || v.Volume == "":
		e.errs = append(e.errs, jobs.Invalid("staging.volume", "The staging volume has no full name",
			"A volume is named by catalog, schema and volume.",
			"Set all three, in the configuration or as "+env+"CATALOG, "+env+"SCHEMA and "+env+"VOLUME, or leave staging out if "+
				"nothing is exported"))
	}
	return &v
}

// quarantine fills the bounds of the quarantine.
func (e *environment) quarantine(c *Engine) {
	q := Quarantine{}
	if c.Quarantine != nil {
		q = *c.Quarantine
	}
	e.number(&q.MaxRows, "quarantine.max_rows", "LYTICS_QUARANTINE_MAX_ROWS")
	e.number(&q.KeepDays, "quarantine.keep_days", "LYTICS_QUARANTINE_KEEP_DAYS")
	if q != (Quarantine{}) {
		c.Quarantine = &q
	}
}

// platform fills the Lytics account. The environment alone never chooses one.
func (e *environment) platform(c *Engine) {
	account := c.LyticsAccount()
	if account == nil {
		e.embedded(c)
		return
	}
	l := *account
	e.secret(&l.Token, "LYTICS_API_TOKEN")
	e.text(&l.APIURL, "LYTICS_API_URL")
	e.text(&l.BulkURL, "LYTICS_BULK_URL")
	e.text(&l.AccountID, "LYTICS_ACCOUNT_ID")
	e.text(&l.Format, "LYTICS_UPLOAD_FORMAT")
	e.count(&l.ProfileWaitMinutes, "platform.lytics.profile_wait_minutes", "LYTICS_PROFILE_WAIT_MINUTES")
	if l.Token.Empty() {
		e.errs = append(e.errs, jobs.Invalid("platform.lytics.token", "There is no API token for Lytics",
			"platform.lytics is given without token, and LYTICS_API_TOKEN is not set.",
			"Create an API token in Lytics (Account Settings, API Tokens), and set one of them"))
	}
	c.Platform = &Platform{Embedded: c.Platform.Embedded, Lytics: &l}
}

// embedded fills the settings of the embedded platform.
func (e *environment) embedded(c *Engine) {
	p := Platform{Embedded: &Embedded{}}
	if c.Platform != nil && c.Platform.Embedded != nil {
		*p.Embedded = *c.Platform.Embedded
	}
	text := e.value(p.Embedded.PlaceholderIdentifiers != nil, "LYTICS_PLACEHOLDER_IDENTIFIERS")
	if text == "" || c.Platform != nil && c.Platform.Embedded == nil {
		return
	}
	p.Embedded.PlaceholderIdentifiers = split(text)
	c.Platform = &p
}
