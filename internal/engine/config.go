package engine

import (
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// OptionsFromConfig gives the options of an engine with this configuration.
// release is the product's version.
func OptionsFromConfig(c config.Engine, release string) Options {
	o := Options{
		DataDir: c.DataDir, DatabaseURL: c.DatabaseURL.Secret, EncryptionKeyFile: c.EncryptionKeyFile,
		AllowPrivateHosts: config.Bool(c.AllowPrivateHosts),
		UserAgent:         "terraform-provider-lytics/" + release, Version: release,
	}
	if s := c.S3(); s != nil {
		o.Staging = &staging.S3Config{
			Bucket: s.Bucket, Prefix: s.Prefix, Region: s.Region, Endpoint: s.Endpoint, UsePathStyle: config.Bool(s.UsePathStyle),
			AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey.Secret, Profile: s.Profile,
			RoleARN: s.RoleARN, ExternalID: s.ExternalID, STSEndpoint: s.STSEndpoint, Credential: s.Credential, ExternalLocation: s.ExternalLocation,
		}
	}
	if v := c.Volume(); v != nil {
		o.Volume = &staging.VolumeConfig{Catalog: v.Catalog, Schema: v.Schema, Volume: v.Volume, Prefix: v.Prefix}
	}
	if p := c.Platform; p != nil && p.Embedded != nil {
		o.PlaceholderIdentifiers = p.Embedded.PlaceholderIdentifiers
	}
	if q := c.Quarantine; q != nil {
		o.Quarantine = QuarantineBounds{MaxRows: int64(q.MaxRows), KeepDays: int64(q.KeepDays)}
	}
	if a := c.LyticsAccount(); a != nil {
		wait := lytics.DefaultProfileWait
		if a.ProfileWaitMinutes != nil {
			wait = time.Duration(*a.ProfileWaitMinutes) * time.Minute
		}
		o.Platform = Lytics(LyticsAccount{
			Token: a.Token.Secret, APIURL: a.APIURL, BulkURL: a.BulkURL, AccountID: a.AccountID, UploadFormat: a.Format, UserAgent: o.UserAgent,
			ProfileWait: wait,
		})
	}
	return o
}
