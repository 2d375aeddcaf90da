package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/differential"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// compare returns an engine that executes every statement on two engines. Clients
// get the answers of the first; how the second one's compare is appended to the
// file at path. Several sandboxes may share the file. Statements are written
// verbatim, with their credentials, so only the file's owner can read it.
func compare(first, second *engine, path string) (*engine, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the comparison of engines: %w", err)
	}
	c := &comparison{file: file}
	c.Engine = differential.NewPair(first.Engine, second.Engine, c.write)
	return &engine{Engine: c, sparkURL: first.sparkURL, load: func(ctx context.Context, table, file string) error {
		return errors.Join(first.load(ctx, table, file), second.load(ctx, table, file))
	}}, nil
}

type comparison struct {
	warehouse.Engine
	file *os.File

	mu  sync.Mutex
	err error
}

func (c *comparison) write(f differential.Finding) {
	line, err := json.Marshal(f)
	if err == nil {
		_, err = c.file.Write(append(line, '\n'))
	}
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.err = errors.Join(c.err, fmt.Errorf("write a comparison: %w", err))
	}
}

// Close closes the engines and the file, and returns an error if the file is incomplete.
func (c *comparison) Close() error {
	err := c.Engine.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(err, c.err, c.file.Close())
}
