package engine

import (
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// RunnerOptions gives the options of an engine whose definitions are of others than
// the operator of the runner.
func RunnerOptions(c config.Runner, release string) Options {
	o := OptionsFromConfig(c.Engine, release)
	o.MaxRunsPerAuthorization = c.MaxRunsPerAuthorization
	o.ForeignDefinitions, o.AllowedTokenEnv, o.AllowedLogins = true, c.AllowedTokenEnv, c.AllowedLogins
	return o
}

// OptionsFromConfig gives the options of an engine with this configuration.
// release is the product's version.
func OptionsFromConfig(c config.Engine, release string) Options {
	// Complete has refused a list with a mistake. Without it such a list is empty.
	hosts, _ := egress.ParseHosts(c.PrivateHosts)
	o := Options{
		DataDir: c.DataDir, DatabaseURL: c.DatabaseURL.Secret, EncryptionKeyFile: c.EncryptionKeyFile,
		AllowPrivateHosts: config.Bool(c.AllowPrivateHosts), PrivateHosts: hosts, CAFile: c.CAFile,
		UserAgent: "terraform-provider-lytics/" + release, Version: release,
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
	if v := c.EventsVolume(); v != nil {
		o.Events = &EventsVolume{
			VolumeConfig: staging.VolumeConfig{Catalog: v.Catalog, Schema: v.Schema, Volume: v.Volume, Prefix: v.Prefix},
			Host:         v.Host, Port: v.Port,
		}
		switch o.Events.Login, o.Events.Secret = v.Chosen(); {
		case o.Events.Login != nil:
		case v.ClientID != "":
			o.Events.ClientID, o.Events.Secret = v.ClientID, v.ClientSecret.Secret
		default:
			o.Events.Secret = v.Token.Secret
		}
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
