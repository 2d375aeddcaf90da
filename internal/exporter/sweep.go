package exporter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// loadPrefix begins the name of every run's own table.
const loadPrefix = "lytics_load_"

// schema is where runs make their own tables.
type schema struct {
	Catalog  string `json:"catalog"`
	Database string `json:"database"`
}

// scratch is the schema of the definition, or the target's.
func (e *Export) scratch() (schema, error) {
	if e.Spec.ScratchSchema == "" {
		return schema{e.Spec.Catalog, e.Spec.Database}, nil
	}
	catalog, database, err := jobs.ParseSchema(e.Spec.ScratchSchema)
	if err != nil {
		return schema{}, jobs.Invalid("scratch_schema", "The scratch schema cannot be used as it is", err.Error(), "")
	}
	return schema{catalog, database}, nil
}

func (s schema) name(run string) jobs.TableName {
	return jobs.TableName{Catalog: s.Catalog, Database: s.Database, Table: loadPrefix + run}
}

func (s schema) loadTable(run string) (string, error) { return databricks.QuoteTable(s.name(run)) }

// root is the staging prefix of a job's runs into this target. Other stores'
// jobs have prefixes of their own: they may be alive.
func (e *Export) root(job string) string {
	return strings.Join([]string{"exports", keyPart(e.Spec.Catalog), keyPart(e.Spec.Database), keyPart(e.Spec.TableName), keyPart(job)}, "/") + "/"
}

// prefix is where an execution's files are.
func (e *Export) prefix(name string) string { return e.root(e.JobID) + name + "/" }

// keyPart keeps what object stores and COPY INTO agree on in a key.
func keyPart(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' && b.Len() > 0 || c == '-' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02x", c)
		}
	}
	return b.String()
}

// marker is the object that says that a run is there, before it has a table or
// a file. COPY INTO ignores it, for its name begins with "_".
const marker = "_run"

func (e *Export) mark(ctx context.Context) error {
	scratch, err := e.scratch()
	if err != nil {
		return err
	}
	text, err := json.Marshal(scratch)
	if err != nil {
		return err
	}
	object, err := e.Staging.Create(ctx, e.prefix(e.name)+marker)
	if err != nil {
		return err
	}
	if _, err := object.Write(text); err != nil {
		return errors.Join(err, object.Abort())
	}
	return object.Close()
}

// runName is what a run's folder can be called: its table is named after it.
var runName = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)

// sweep removes what dead runs into this target left: only the holder of the
// job's lease comes here, so that no other run of it is alive.
func (e *Export) sweep(ctx context.Context) error {
	for _, job := range append([]string{e.JobID}, e.Owners...) {
		root := e.root(job)
		objects, err := e.Staging.List(ctx, root)
		if err != nil {
			return err
		}
		var runs []string
		for _, o := range objects {
			run, _, _ := strings.Cut(strings.TrimPrefix(o.Key, root), "/")
			if runName.MatchString(run) && !slices.Contains(runs, run) {
				runs = append(runs, run)
			}
		}
		for _, run := range runs {
			if err := e.clean(ctx, root, run); err != nil {
				return err
			}
		}
	}
	return nil
}

// clean drops a run's table, then its files: the files are the record that
// something is left, so they go last.
func (e *Export) clean(ctx context.Context, root, run string) error {
	where, err := e.madeIn(ctx, root, run)
	if err != nil {
		return err
	}
	table, err := where.loadTable(run)
	if err != nil {
		return err
	}
	if err := e.exec(ctx, "DROP TABLE IF EXISTS "+table); err != nil && !gone(err) {
		return err
	}
	return e.Staging.RemovePrefix(ctx, root+run+"/")
}

// gone reports that the schema is not there either, and so no table in it.
func gone(err error) bool {
	class := databricks.Class(err)
	return class == "SCHEMA_NOT_FOUND" || class == "NO_SUCH_CATALOG_EXCEPTION" || class == "CATALOG_NOT_FOUND"
}

// madeIn reads a run's marker: the definition may name another schema by now.
// What it says is a schema only; the table's name follows from the run's, so
// that nothing in a bucket can have another table dropped.
func (e *Export) madeIn(ctx context.Context, root, run string) (schema, error) {
	if run == e.name {
		return e.scratch()
	}
	text, err := e.Staging.Read(ctx, root+run+"/"+marker)
	var s schema
	switch {
	case jobs.IsCode(err, jobs.CodeNotFound):
		return e.scratch()
	case err != nil:
		return s, err
	case json.Unmarshal(text, &s) != nil || s.Catalog == "" || s.Database == "":
		return e.scratch()
	}
	return s, nil
}
