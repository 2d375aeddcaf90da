package spark

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/copyinto"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
)

// filesToLoad returns the files that the statement names, without those that the
// table has already loaded.
func (c *copyJob) filesToLoad(ctx context.Context) (_ []copyinto.File, err error) {
	if c.source, err = copyinto.NewSource(c.engine.opts.Objects, c.statement); err != nil {
		return nil, err
	}
	all, err := c.source.List(ctx)
	if err != nil || c.options.Force {
		return all, err
	}
	loaded, err := c.loadedBefore()
	if err != nil {
		return nil, err
	}
	return copyinto.NotLoaded(all, loaded), nil
}

var extension = regexp.MustCompile(`(?:\.[A-Za-z0-9]{1,10}){0,2}$`)

// fetch downloads the files into dir, under names without special characters.
// Their extensions stay, since Hadoop detects the compression by them.
func (c *copyJob) fetch(ctx context.Context, dir string, files []copyinto.File) error {
	for i, f := range files {
		if err := c.fetchOne(ctx, localName(dir, i, f), f); err != nil {
			return err
		}
	}
	return nil
}

func localName(dir string, i int, f copyinto.File) string {
	return filepath.Join(dir, fmt.Sprintf("%06d%s", i, extension.FindString(path.Base(f.Key))))
}

func (c *copyJob) fetchOne(ctx context.Context, name string, f copyinto.File) (err error) {
	in, err := c.source.Open(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err = io.Copy(out, in); err != nil {
		return copyinto.Unreadable(f.URL(), err)
	}
	return nil
}

// checkHeaders refuses CSV files whose headers differ, with mergeSchema. Databricks
// merges them; Spark would use the first file's header for all.
func (c *copyJob) checkHeaders(dir string) error {
	st := c.statement
	if st.Format != "CSV" || !isTrue(optionValue(st.Options, "header")) || !isTrue(optionValue(st.Options, "mergeSchema")) {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var first []byte
	for i, e := range entries {
		header, err := firstLine(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		if i == 0 {
			first = header
		}
		if !bytes.Equal(first, header) {
			return sqlerror.Unsupported("COPY INTO with mergeSchema of CSV files whose headers differ")
		}
	}
	return nil
}

func firstLine(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	line, err := bufio.NewReader(f).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}
