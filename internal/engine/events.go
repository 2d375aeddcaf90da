package engine

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// EventsVolume is a Unity Catalog volume for the events of a shared store, and the login
// of this process to its workspace.
type EventsVolume struct {
	staging.VolumeConfig

	Host string
	// Port is 443 when 0.
	Port int
	// Either Token is set, or ClientID and ClientSecret of a service principal.
	Token        jobs.Secret
	ClientID     string
	ClientSecret jobs.Secret
}

// EventObjects opens the place of the events of a shared store: Events, or else the bucket
// of Staging. It is nil if neither is configured.
func (o Options) EventObjects() embedded.OpenObjects {
	switch {
	case o.Events != nil:
		return func(ctx context.Context) (embedded.Objects, error) {
			return staging.OpenEventVolume(ctx, o.Events.VolumeConfig, o.eventsWorkspace())
		}
	case o.Staging != nil:
		return func(ctx context.Context) (embedded.Objects, error) { return staging.Open(ctx, *o.Staging) }
	}
	return nil
}

func (o Options) eventsWorkspace() databricks.Config {
	v := *o.Events
	c := databricks.Config{
		Host: v.Host, Port: v.Port, AllowPrivateHosts: o.AllowPrivateHosts, PrivateHosts: o.PrivateHosts, RootCAs: o.rootCAs, UserAgent: "lytics_" + o.UserAgent,
	}
	if v.ClientID == "" {
		c.Token = func(context.Context) (jobs.Secret, error) { return v.Token, nil }
		return c
	}
	c.Client = &databricks.ClientCredentials{
		ID: v.ClientID, Secret: func(context.Context) (jobs.Secret, error) { return v.ClientSecret, nil },
	}
	return c
}
