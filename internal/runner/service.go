package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// Service is a part of the runner that runs until the runner stops.
type Service struct {
	// Name is the name of the service in the log.
	Name string
	// Run works until ctx ends, and returns after its goroutines have ended. If
	// it returns earlier, the runner stops.
	Run func(ctx context.Context) error
}

type running struct {
	Service
	stop context.CancelFunc
	done chan struct{}
	err  error
}

// serve runs services until ctx ends or one of them returns, and then stops
// them, the last one first. The error names the service that failed.
func serve(ctx context.Context, log *slog.Logger, services []Service) error {
	ended := make(chan *running, len(services))
	all := make([]*running, len(services))
	for i, s := range services {
		own, stop := context.WithCancel(context.WithoutCancel(ctx))
		r := &running{Service: s, stop: stop, done: make(chan struct{})}
		all[i] = r
		go func() {
			defer close(r.done)
			r.err = r.Run(own)
			ended <- r
		}()
	}
	var errs []error
	select {
	case <-ctx.Done():
	case r := <-ended:
		<-r.done
		errs = append(errs, fmt.Errorf("%s: %w", r.Name, unexpectedEnd(r.err)))
		r.err = nil
	}
	for i := len(all) - 1; i >= 0; i-- {
		r := all[i]
		r.stop()
		<-r.done
		if r.err != nil && !errors.Is(r.err, context.Canceled) {
			errs = append(errs, fmt.Errorf("%s: %w", r.Name, r.err))
		}
		log.DebugContext(context.WithoutCancel(ctx), "service stopped", "service", r.Name)
	}
	return errors.Join(errs...)
}

func unexpectedEnd(err error) error {
	if err == nil {
		return errors.New("the service ended unexpectedly")
	}
	return err
}
