package main

import (
	"context"
	"errors"
	"sync"

	tfprovider "github.com/hashicorp/terraform-plugin-framework/provider"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/cli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/config"
)

// newProvider joins the Terraform adapters with the engine, and gives the
// function that closes what they opened. Terraform tells a plugin nothing when
// it is done with it: serving just ends.
func newProvider(version string) (factory func() tfprovider.Provider, stop func() error) {
	var mu sync.Mutex
	var opened []jobs.API
	open := func(ctx context.Context, c provider.Config) (jobs.API, error) {
		api, err := openProvider(ctx, c)
		if err != nil {
			return nil, err
		}
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

// openProvider gives the jobs API that a provider block means.
func openProvider(ctx context.Context, c provider.Config) (jobs.API, error) {
	if r := c.Runner; r != nil {
		return client.New(client.Config{URL: r.URL, Token: r.Token, CAFile: r.CAFile, Release: version})
	}
	own := config.Config{
		DataDir: c.DataDir, DatabaseURL: config.Secret{Secret: c.DatabaseURL},
		EncryptionKeyFile: c.EncryptionKeyFile, AllowPrivateHosts: &c.AllowPrivateHosts,
	}
	if c.Staging != nil || c.StagingVolume != nil {
		own.Staging = &config.Staging{}
	}
	if s := c.Staging; s != nil {
		own.Staging.S3 = &config.S3{
			Bucket: s.Bucket, Prefix: s.Prefix, Region: s.Region, Endpoint: s.Endpoint, UsePathStyle: &s.UsePathStyle,
			AccessKeyID: s.AccessKeyID, SecretAccessKey: config.Secret{Secret: s.SecretAccessKey}, Profile: s.Profile,
			RoleARN: s.RoleARN, ExternalID: s.ExternalID, STSEndpoint: s.STSEndpoint, Credential: s.Credential, ExternalLocation: s.ExternalLocation,
		}
	}
	if v := c.StagingVolume; v != nil {
		own.Staging.Volume = &config.Volume{Catalog: v.Catalog, Schema: v.Schema, Volume: v.Volume, Prefix: v.Prefix}
	}
	if a := c.Lytics; a != nil {
		own.Platform = &config.Platform{Lytics: &config.Lytics{
			Token: config.Secret{Secret: a.Token}, APIURL: a.APIURL, BulkURL: a.BulkURL, AccountID: a.AccountID,
		}}
	}
	return openStore(ctx, own)
}

// openTarget gives the jobs API that a command line means.
func openTarget(ctx context.Context, t cli.Target) (jobs.API, error) {
	if t.URL != "" {
		return client.New(client.Config{URL: t.URL, Token: t.Token, CAFile: t.CAFile, Release: version})
	}
	return openStore(ctx, t.Config)
}

// openStore asks the runner that owns a data directory, if one is alive there,
// and else opens the store itself.
func openStore(ctx context.Context, c config.Config) (jobs.API, error) {
	if c.DatabaseURL.Empty() {
		local, err := client.Local(ctx, c.DataDir, version)
		if err != nil {
			return nil, err
		}
		if local != nil {
			return local, nil
		}
	}
	return engine.New(c.Engine(version)), nil
}
