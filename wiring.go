package main

import (
	"context"
	"errors"
	"sync"

	tfprovider "github.com/hashicorp/terraform-plugin-framework/provider"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// newProvider joins the Terraform adapters with the engine, and gives the
// function that closes what they opened. Terraform tells a plugin nothing when
// it is done with it: serving just ends.
func newProvider(version string) (factory func() tfprovider.Provider, stop func() error) {
	var mu sync.Mutex
	var opened []jobs.API
	open := func(_ context.Context, c provider.Config) (jobs.API, error) {
		api := engine.New(engineOptions(c))
		mu.Lock()
		defer mu.Unlock()
		opened = append(opened, api)
		return api, nil
	}
	factory = provider.New(version, provider.Dependencies{
		Open:                   open,
		NormalizeField:         platform.NormalizeField,
		NormalizeAudience:      platform.NormalizeAudience,
		ValidateField:          platform.ValidateField,
		ValidateMapping:        platform.ValidateMapping,
		ValidateExpressionType: platform.ValidateExpressionType,
		ValidateAudience:       platform.ValidateAudience,
	})
	return factory, func() error {
		mu.Lock()
		defer mu.Unlock()
		var errs []error
		for _, api := range opened {
			errs = append(errs, api.Close())
		}
		return errors.Join(errs...)
	}
}

func engineOptions(c provider.Config) engine.Options {
	o := engine.Options{
		DataDir:           c.DataDir,
		EncryptionKeyFile: c.EncryptionKeyFile,
		AllowPrivateHosts: c.AllowPrivateHosts,
		UserAgent:         userAgent(),
	}
	if s := c.Staging; s != nil {
		o.Staging = &staging.S3Config{
			Bucket: s.Bucket, Prefix: s.Prefix, Region: s.Region, Endpoint: s.Endpoint, UsePathStyle: s.UsePathStyle,
			AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, Profile: s.Profile,
			RoleARN: s.RoleARN, ExternalID: s.ExternalID, STSEndpoint: s.STSEndpoint, Credential: s.Credential, ExternalLocation: s.ExternalLocation,
		}
	}
	if v := c.StagingVolume; v != nil {
		o.Volume = &staging.VolumeConfig{Catalog: v.Catalog, Schema: v.Schema, Volume: v.Volume, Prefix: v.Prefix}
	}
	if a := c.Lytics; a != nil {
		o.Platform = engine.Lytics(engine.LyticsAccount{
			Token: a.Token, APIURL: a.APIURL, BulkURL: a.BulkURL, AccountID: a.AccountID, UserAgent: userAgent(),
		})
	}
	return o
}
