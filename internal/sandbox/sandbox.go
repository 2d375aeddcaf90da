package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/certs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/front"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/record"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/s3"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/seed"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/volumes"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// sandbox holds the servers and the engine of one process.
type sandbox struct {
	connection connection
	// failed receives the error of a server that stops by itself.
	failed chan error
	// closers are called in reverse order.
	closers []func() error
}

// start starts everything that o names, and returns when it is ready.
func start(ctx context.Context, o options, progress func(string)) (_ *sandbox, err error) {
	s := &sandbox{failed: make(chan error, 2)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	dir, buckets, remove, err := directories(o.data)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, remove)
	faults := &fault.Set{}
	store, err := s3.New(s3.Options{Bucket: o.bucket, Credential: o.credential, Dir: buckets, Faults: faults,
		RoleARN: o.role, ExternalID: o.externalID, RoleMaxSession: o.roleMaxSession,
		StorageCredential: o.storage, ExternalLocation: o.external, ShortLivedOnly: o.shortLived})
	if err != nil {
		return nil, err
	}
	files, err := volumes.Open(filepath.Join(dir, "volumes"), o.volumes, faults)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, files.Close)
	engine, err := openEngine(ctx, o, dir, bucketsAndVolumes{store, files}, progress)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, engine.Close)
	s.connection.SparkURL = engine.sparkURL
	if err := addTables(ctx, engine, o, progress); err != nil {
		return nil, err
	}
	if o.record != "" {
		recorded, err := record.Open(engine.Engine, o.record)
		if err != nil {
			return nil, err
		}
		// It closes the engine that it wraps.
		s.closers[len(s.closers)-1], engine.Engine = recorded.Close, recorded
	}
	// Faults are set last, so that they do not hit the statements above.
	for _, f := range o.faults {
		if _, err := faults.Add(f); err != nil {
			return nil, err
		}
	}
	server, err := front.New(front.Options{
		Engine: engine.Engine, Warehouse: warehouseID, Token: o.token, ForbiddenToken: o.forbidden, ServicePrincipal: o.client,
		Results: o.results, Faults: faults, Spool: filepath.Join(dir, "spool"),
		Files: files, Volumes: o.volumes, LinkTTL: o.linkTTL, DirectWait: o.directWait, SessionZone: o.zone, Admin: o.admin,
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return nil, err
	}
	if err := s.serveStore(ctx, o, store); err != nil {
		return nil, errors.Join(err, server.Close())
	}
	if err := s.serveWarehouse(ctx, o, server, dir); err != nil {
		return nil, errors.Join(err, server.Close())
	}
	// Close the server first: it cancels the statements whose requests the
	// listeners would wait for.
	s.closers = append(s.closers, server.Close)
	s.connection.Data = dir
	return s, nil
}

// addTables creates the tables of -seed and -load.
func addTables(ctx context.Context, engine *engine, o options, progress func(string)) error {
	if o.seed {
		session, err := engine.OpenSession(ctx, warehouse.SessionOptions{})
		if err != nil {
			return fmt.Errorf("create example data: %w", err)
		}
		if err := errors.Join(seed.Tables(ctx, session, o.seedRows, progress), session.Close()); err != nil {
			return fmt.Errorf("create example data: %w", err)
		}
	}
	for _, l := range o.loads {
		progress("loading " + l.file + " as " + l.table)
		if err := engine.load(ctx, l.table, l.file); err != nil {
			return fmt.Errorf("load %s as %s: %w", l.file, l.table, err)
		}
	}
	return nil
}

func (s *sandbox) serveStore(ctx context.Context, o options, store *s3.Store) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.s3Listen)
	if err != nil {
		return fmt.Errorf("listen for S3: %w", err)
	}
	s.serve(listener, store)
	s.connection.setS3("http://"+listener.Addr().String(), o.bucket, o.credential)
	return nil
}

func (s *sandbox) serveWarehouse(ctx context.Context, o options, server *front.Server, dir string) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listen for the warehouse: %w", err)
	}
	c, scheme := &s.connection, "http"
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil {
		return err
	}
	if addr, ok := listener.Addr().(*net.TCPAddr); ok {
		c.Port = addr.Port
	}
	httpServer := &http.Server{Handler: server, ReadHeaderTimeout: time.Minute}
	if o.tls {
		scheme = "https"
		config, authority, err := certs.Make(time.Now())
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		httpServer.TLSConfig = config
		if c.CAFile, err = filepath.Abs(cmp.Or(o.caFile, filepath.Join(dir, "ca.pem"))); err == nil {
			err = os.WriteFile(c.CAFile, authority, 0o644) //nolint:gosec // a public certificate
		}
		if err != nil {
			return errors.Join(fmt.Errorf("write the certificate authority: %w", err), listener.Close())
		}
	}
	s.serveHTTP(listener, httpServer)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	c.Host, c.HTTPPath, c.Token, c.Warehouse = scheme+"://"+host, "/sql/1.0/warehouses/"+warehouseID, o.token, warehouseID
	c.ClientID, c.ClientSecret = o.client.ID, o.client.Secret
	c.URL, c.PID = fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(host, fmt.Sprint(c.Port))), os.Getpid()
	if o.admin {
		c.AdminURL = c.URL + "/sandbox"
	}
	return nil
}

func (s *sandbox) serve(listener net.Listener, handler http.Handler) {
	s.serveHTTP(listener, &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute})
}

func (s *sandbox) serveHTTP(listener net.Listener, server *http.Server) {
	go func() {
		serve := func() error { return server.Serve(listener) }
		if server.TLSConfig != nil {
			serve = func() error { return server.ServeTLS(listener, "", "") }
		}
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	s.closers = append(s.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			return server.Close()
		}
		return nil
	})
}

func (s *sandbox) close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	s.closers = nil
	return errors.Join(errs...)
}
