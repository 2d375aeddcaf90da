package engine

import (
	"context"
	"errors"
	"strings"

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
	// Login is how this process gets access tokens; nil for Secret itself, or, with
	// ClientID, for OAuth with Secret.
	Login    *jobs.Login
	ClientID string
	// Secret is the token, or the secret of the client or of the login.
	Secret jobs.Secret
}

// EventObjects opens the place of the events of a shared store: Events, or else the bucket
// of Staging. It is nil if neither is configured.
func (o Options) EventObjects() embedded.OpenObjects {
	switch {
	case o.Events != nil:
		return func(ctx context.Context) (embedded.Objects, error) {
			v, err := staging.OpenEventVolume(ctx, o.Events.VolumeConfig, o.eventsWorkspace())
			if err != nil {
				return nil, o.Events.name(err)
			}
			return v, nil
		}
	case o.Staging != nil:
		return func(ctx context.Context) (embedded.Objects, error) { return staging.Open(ctx, *o.Staging) }
	}
	return nil
}

func (o Options) eventsWorkspace() databricks.Config {
	v := *o.Events
	return o.workspace(jobs.AuthorizationSpec{Host: v.Host, Port: v.Port, Login: v.Login, ClientID: v.ClientID}, credential{
		roots: o.rootCAs, read: func(context.Context) (jobs.Secret, error) { return v.Secret, nil },
	})
}

// name points an error at the attribute of events.volume: that of a login has its name in an
// authorization.
func (v *EventsVolume) name(err error) error {
	const at = "events.volume"
	e, ok := errors.AsType[*jobs.Error](err)
	switch {
	case !ok || e.Attribute == "" || strings.HasPrefix(e.Attribute, at):
	case e.Attribute == "http_path":
		e.Attribute = at + ".host" // it has no warehouse
	case e.Attribute == "token_wo" && v.ClientID != "":
		e.Attribute = at + ".client_secret"
	default:
		e.Attribute = at + "." + strings.TrimSuffix(e.Attribute, "_wo")
	}
	return err
}
