package config

import "github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"

// Events is where the embedded platform of a shared store keeps its events, instead of
// the bucket of Staging.
type Events struct {
	Volume *EventsVolume `yaml:"volume"`
}

// EventsVolume is a Unity Catalog volume, and the login of this process to its workspace.
// It is not that of an authorization, whose author may be somebody else than the operator.
type EventsVolume struct {
	// Host is the workspace's; Port 0 means 443.
	Host    string `yaml:"host"`
	Port    int    `yaml:"port"`
	Catalog string `yaml:"catalog"`
	Schema  string `yaml:"schema"`
	Volume  string `yaml:"volume"`
	Prefix  string `yaml:"prefix"`
	Login   `yaml:",inline"`
}

// EventsVolume returns the volume of the events, or nil.
func (c Engine) EventsVolume() *EventsVolume {
	if c.Events == nil {
		return nil
	}
	return c.Events.Volume
}

// CheckEventStorage returns an error if the events of a shared store would be
// on the disk of one machine. Only a process that executes runs calls it:
// reading a shared store needs no bucket.
func (c Engine) CheckEventStorage() error {
	if c.DatabaseURL.Empty() || c.LyticsAccount() != nil || c.S3() != nil || c.EventsVolume() != nil {
		return nil
	}
	return jobs.Invalid("staging.s3", "The embedded platform has no place for its events",
		"With database_url several machines share one store, and no machine can read another's disk. "+
			"The embedded platform then keeps its events in S3 or in a Unity Catalog volume, and neither is configured.",
		"Set staging.s3 (LYTICS_STAGING_S3_BUCKET) or events.volume (LYTICS_EVENTS_VOLUME_HOST and so on), use platform.lytics, "+
			"or leave database_url out to keep everything in data_dir")
}

// events fills the volume of the events. The environment alone can set it.
func (e *environment) events(c *Engine) {
	const env = "LYTICS_EVENTS_VOLUME_"
	v, given := EventsVolume{}, c.EventsVolume()
	if given != nil {
		v = *given
	}
	e.text(&v.Host, env+"HOST")
	e.number(&v.Port, "events.volume.port", env+"PORT")
	e.text(&v.Catalog, env+"CATALOG")
	e.text(&v.Schema, env+"SCHEMA")
	e.text(&v.Volume, env+"VOLUME")
	e.text(&v.Prefix, env+"PREFIX")
	e.login(&v.Login, "events.volume", env)
	switch {
	case c.Events == nil && v.Host+v.Catalog+v.Schema+v.Volume+v.Prefix == "" && v.Port == 0 && !v.given():
		return
	case v.Host == "" || v.Catalog == "" || v.Schema == "" || v.Volume == "":
		e.errs = append(e.errs, jobs.Invalid("events.volume", "The volume of the events has no full name",
			"It is named by the host of its workspace, catalog, schema and volume.",
			"Set all four, in the configuration or as "+env+"HOST, "+env+"CATALOG, "+env+"SCHEMA and "+env+"VOLUME"))
	default:
		if err := v.check("events.volume", env); err != nil {
			e.errs = append(e.errs, err)
		}
	}
	c.Events = &Events{Volume: &v}
}
