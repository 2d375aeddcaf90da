package main

import (
	"context"
	"errors"
	"sync"

	tfprovider "github.com/hashicorp/terraform-plugin-framework/provider"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider"
)

// newProvider connects the provider to the engine and the client of a runner. stop
// closes the APIs that providers opened: the plugin protocol does not tell a
// provider that Terraform has finished, serving just ends.
func newProvider(version string) (factory func() tfprovider.Provider, stop func() error) {
	var mu sync.Mutex
	var opened []jobs.API
	openAndKeep := func(ctx context.Context, t config.Target) (jobs.API, error) {
		api, err := open(ctx, t)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		opened = append(opened, api)
		return api, nil
	}
	factory = provider.New(version, provider.Dependencies{Open: openAndKeep})
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

// open opens the jobs API of a runner, or of a store.
func open(ctx context.Context, t config.Target) (jobs.API, error) {
	if r := t.Runner; r != nil {
		return client.New(client.Config{URL: r.URL, Token: r.Token, CAFile: r.CAFile, Release: version})
	}
	return openStore(ctx, t.Engine)
}

// openStore connects to the runner that owns the data directory, if one is running,
// and otherwise opens the store in this process.
func openStore(ctx context.Context, c config.Engine) (jobs.API, error) {
	if c.DatabaseURL.Empty() {
		local, err := client.Local(ctx, c.DataDir, version)
		if err != nil {
			return nil, err
		}
		if local != nil {
			return local, nil
		}
	}
	return engine.Audited{Engine: engine.New(engine.OptionsFromConfig(c, version))}, nil
}
