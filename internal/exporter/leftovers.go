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

// loadPrefix is the prefix of the name of every load table.
const loadPrefix = "lytics_load_"

// schema is the schema in which runs create load tables.
type schema struct {
	Catalog  string `json:"catalog"`
	Database string `json:"database"`
}

// scratch is the definition's scratch schema; without one, the target's schema.
func (e *Export) scratch() (schema, error) {
	if e.Spec.ScratchSchema == "" {
		return schema{e.Spec.Catalog, e.Spec.Database}, nil
	}
	catalog, database, err := jobs.ParseSchema(e.Spec.ScratchSchema)
	if err != nil {
		return schema{}, jobs.Invalid("scratch_schema", "The scratch schema cannot be used", err.Error(), "")
	}
	return schema{catalog, database}, nil
}

func (s schema) name(run string) jobs.TableName {
	return jobs.TableName{Catalog: s.Catalog, Database: s.Database, Table: loadPrefix + run}
}

func (s schema) loadTable(run string) (string, error) { return databricks.QuoteTable(s.name(run)) }

// jobPrefix is the staging prefix of a job's runs into this target. Jobs of other stores
// have other prefixes, because their runs may be alive.
func (e *Export) jobPrefix(job string) string {
	key := "exports/"
	for _, part := range []string{e.Spec.Catalog, e.Spec.Database, e.Spec.TableName, job} {
		key += keyPart(part) + "/"
	}
	return key
}

// runPrefix is the staging prefix of an execution.
func (e *Export) runPrefix(name string) string { return e.jobPrefix(e.JobID) + name + "/" }

// keyPart escapes a name for a key. It keeps only the characters that object stores and
// COPY INTO treat in the same way.
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

// runMarker is the object that records the schema of a run's load table. It is written
// before the table and the files. COPY INTO ignores it, because its name begins with "_".
const runMarker = "_run"

// writeRunMarker records that this execution exists.

func (e *Export) writeRunMarker(ctx context.Context) error {
	scratch, err := e.scratch()
	if err != nil {
		return err
	}
	text, err := json.Marshal(scratch)
	if err != nil {
		return err
	}
	object, err := e.Staging.Create(ctx, e.runPrefix(e.name)+runMarker)
	if err != nil {
		return err
	}
	if _, err := object.Write(text); err != nil {
		return errors.Join(err, object.Abort())
	}
	return object.Close()
}

// executionName matches the names of executions, which are part of the load table's name.
var executionName = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)

// removeLeftovers removes the load tables and files of dead runs into this target. No
// other run of the job is alive, because this process holds the run's claim.
func (e *Export) removeLeftovers(ctx context.Context) error {
	for _, job := range append([]string{e.JobID}, e.Owners...) {
		prefix := e.jobPrefix(job)
		objects, err := e.Staging.List(ctx, prefix)
		if err != nil {
			return err
		}
		var runs []string
		for _, o := range objects {
			run, _, _ := strings.Cut(strings.TrimPrefix(o.Key, prefix), "/")
			if executionName.MatchString(run) && !slices.Contains(runs, run) {
				runs = append(runs, run)
			}
		}
		for _, run := range runs {
			if err := e.removeRun(ctx, prefix, run); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeRun drops an execution's load table, and then removes its files. The files are
// removed last, because only they show that a load table may exist.
func (e *Export) removeRun(ctx context.Context, jobPrefix, run string) error {
	scratch, err := e.loadSchema(ctx, jobPrefix, run)
	if err != nil {
		return err
	}
	table, err := scratch.loadTable(run)
	if err != nil {
		return err
	}
	if err := e.execRepeatable(ctx, "DROP TABLE IF EXISTS "+table); err != nil && !schemaMissing(err) {
		return err
	}
	return e.Staging.RemovePrefix(ctx, jobPrefix+run+"/")
}

// schemaMissing reports whether the schema of a table does not exist; the table does not
// exist then either.
func schemaMissing(err error) bool {
	class := databricks.Class(err)
	return class == "SCHEMA_NOT_FOUND" || class == "NO_SUCH_CATALOG_EXCEPTION" || class == "CATALOG_NOT_FOUND"
}

// loadSchema reads the schema of an execution's load table from its marker, because the
// definition's schema may have changed. The marker contains the schema only. The table's
// name is derived from the execution's name, so that no object in a bucket can cause
// another table to be dropped.
func (e *Export) loadSchema(ctx context.Context, jobPrefix, run string) (schema, error) {
	if run == e.name {
		return e.scratch()
	}
	text, err := e.Staging.Read(ctx, jobPrefix+run+"/"+runMarker)
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
