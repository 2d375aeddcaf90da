package engine

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// stagingArea opens the staging area of an export. Call done at the end.
func (e *Engine) stagingArea(ctx context.Context, l connector) (area exporter.Staging, done func(), err error) {
	switch {
	case e.options.Volume != nil:
		v, err := staging.OpenVolume(ctx, *e.options.Volume, l.config())
		if err != nil {
			return nil, nil, err
		}
		return volume{v}, v.Close, nil
	case e.options.Staging != nil:
		s, err := staging.Open(ctx, *e.options.Staging)
		if err != nil {
			return nil, nil, err
		}
		if err := s.CheckCopy(); err != nil {
			return nil, nil, err
		}
		return bucket{s}, func() {}, nil
	}
	return nil, nil, errNoStaging()
}

func errNoStaging() error {
	return jobs.Invalid("staging", "No staging is configured",
		"An export writes files to a Unity Catalog volume or to S3, where the warehouse's COPY INTO reads them.",
		"Give the provider block staging = { volume = { catalog = ..., schema = ..., volume = ... } }, or staging = { s3 = { bucket = ... } }")
}

// bucket and volume adapt the two kinds of staging area to the exporter's interface.
type (
	bucket struct{ *staging.S3 }
	volume struct{ *staging.Volume }
)

// Create implements exporter.Staging.
func (b bucket) Create(ctx context.Context, key string) (exporter.Object, error) {
	return b.S3.Create(ctx, key)
}

// Create implements exporter.Staging.
func (v volume) Create(ctx context.Context, key string) (exporter.Object, error) {
	return v.Volume.Create(ctx, key)
}
