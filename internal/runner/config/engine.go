package config

import (
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// Engine gives the options of an engine that is configured so.
func (c Config) Engine(release string) engine.Options {
	o := engine.Options{
		DataDir: c.DataDir, DatabaseURL: c.DatabaseURL.Secret, EncryptionKeyFile: c.EncryptionKeyFile,
		AllowPrivateHosts: isSet(c.AllowPrivateHosts), MaxRunsPerAuthorization: c.MaxRunsPerAuthorization,
		UserAgent: "terraform-provider-lytics/" + release, Version: release,
	}
	if c.Staging != nil && c.Staging.S3 != nil {
		s := *c.Staging.S3
		o.Staging = &staging.S3Config{
			Bucket: s.Bucket, Prefix: s.Prefix, Region: s.Region, Endpoint: s.Endpoint, UsePathStyle: isSet(s.UsePathStyle),
			AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey.Secret, Profile: s.Profile,
			RoleARN: s.RoleARN, ExternalID: s.ExternalID, STSEndpoint: s.STSEndpoint, Credential: s.Credential, ExternalLocation: s.ExternalLocation,
		}
	}
	if c.Staging != nil && c.Staging.Volume != nil {
		v := *c.Staging.Volume
		o.Volume = &staging.VolumeConfig{Catalog: v.Catalog, Schema: v.Schema, Volume: v.Volume, Prefix: v.Prefix}
	}
	if c.Platform != nil && c.Platform.Lytics != nil {
		a := *c.Platform.Lytics
		o.Platform = engine.Lytics(engine.LyticsAccount{
			Token: a.Token.Secret, APIURL: a.APIURL, BulkURL: a.BulkURL, AccountID: a.AccountID, UserAgent: o.UserAgent,
		})
	}
	return o
}

func isSet(b *bool) bool { return b != nil && *b }
