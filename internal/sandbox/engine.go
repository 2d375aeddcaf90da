package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/temptable"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/s3"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/seed"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/volumes"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// The engines.
const (
	engineDuckDB = "duckdb"
	engineSpark  = "spark"
)

// engine is an open engine, with the function that loads a file as a table.
type engine struct {
	warehouse.Engine
	load func(ctx context.Context, table, file string) error
	// sparkURL is the Thrift server of -engine spark.
	sparkURL string
}

func openEngine(ctx context.Context, o options, dir string, store bucketsAndVolumes, progress func(string)) (*engine, error) {
	if o.engine == engineDuckDB {
		return openDuck(ctx, o, filepath.Join(dir, "tables"), store)
	}
	e, err := openSpark(ctx, o, filepath.Join(dir, "tables"), store, progress)
	if err != nil || o.compare == "" {
		return e, err
	}
	other, err := openDuck(ctx, o, filepath.Join(dir, "compared"), store)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	both, err := compare(e, other, o.compare)
	if err != nil {
		return nil, errors.Join(err, e.Close(), other.Close())
	}
	return both, nil
}

func openDuck(ctx context.Context, o options, dir string, store bucketsAndVolumes) (*engine, error) {
	e, err := duck.Open(ctx, duck.Options{Dir: dir, Objects: store, Profile: o.profile, MemoryLimit: o.memoryLimit})
	if err != nil {
		return nil, fmt.Errorf("open the engine in %s: %w", dir, err)
	}
	return &engine{Engine: temptable.Wrap(e), load: func(ctx context.Context, table, file string) error {
		return seed.Load(ctx, e, table, file)
	}}, nil
}

func openSpark(ctx context.Context, o options, dir string, store bucketsAndVolumes, progress func(string)) (*engine, error) {
	if o.sparkURL == "" {
		progress("starting Apache Spark (a quarter of a minute)")
	}
	eventLog := ""
	if o.profile {
		eventLog = filepath.Join(o.data, "events")
	}
	e, err := spark.Open(ctx, spark.Options{
		Home: o.sparkHome, DataDir: dir, URL: o.sparkURL, Discard: o.data == "", Objects: store, EventLog: eventLog,
	})
	if err != nil {
		return nil, fmt.Errorf("open Spark in %s: %w", dir, err)
	}
	return &engine{Engine: temptable.Wrap(e), sparkURL: e.URL(), load: func(ctx context.Context, table, file string) error {
		_, err := e.LoadFile(ctx, table, file)
		return err
	}}, nil
}

// bucketsAndVolumes is the objectstore.Store of the engines.
type bucketsAndVolumes struct {
	buckets *s3.Store
	volumes *volumes.Store
}

func (o bucketsAndVolumes) List(ctx context.Context, bucket, prefix string, c objectstore.Credential) ([]objectstore.Object, error) {
	if strings.HasPrefix(bucket, volumes.Prefix) {
		return o.volumes.List(ctx, bucket, prefix)
	}
	return o.buckets.List(ctx, bucket, prefix, c)
}

func (o bucketsAndVolumes) Open(ctx context.Context, bucket, key string, c objectstore.Credential) (io.ReadCloser, error) {
	if strings.HasPrefix(bucket, volumes.Prefix) {
		return o.volumes.Read(ctx, bucket, key)
	}
	return o.buckets.Open(ctx, bucket, key, c)
}
