package runner

import (
	"context"
	"log/slog"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// AlertConfig says whom to tell of failures.
type AlertConfig struct {
	// URL takes a POST for each alert; empty tells nobody. It is https, unless
	// private hosts are allowed.
	URL string
	// Secret signs each body, so that its receiver knows whom it is from.
	Secret jobs.Secret
	// StalePeriods is after how many periods of its schedule without a success
	// a job is stale: DefaultStalePeriods when 0.
	StalePeriods int
}

// DefaultStalePeriods lets one run fail before a job is stale.
const DefaultStalePeriods = 2

// alerter delivers alerts.
type alerter struct {
	config AlertConfig
	hook   *webhook
	log    *slog.Logger
	db     *store.DB
	poked  chan struct{}
}

func newAlerter(c AlertConfig, allowPrivate bool, log *slog.Logger) (*alerter, error) {
	a := &alerter{config: c, log: log, poked: make(chan struct{}, 1)}
	return a, nil
}

func (a *alerter) poke() {
	select {
	case a.poked <- struct{}{}:
	default:
	}
}

func (a *alerter) run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

type webhook struct{ _ time.Time }
