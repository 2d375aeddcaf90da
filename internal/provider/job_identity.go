package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// jobIDAttribute tells jobs with the same key in two workspaces apart.
var jobIDAttribute = identityAttribute{
	name: "id", doc: "Id of the job. Only needed where several jobs have the other values.", optional: true,
}

func tableImportIdentity() resourceIdentity {
	return resourceIdentity{
		changes: true, // a job of Lytics may be changed there
		attributes: []identityAttribute{
			{name: "catalog", doc: "Catalog of the table."},
			{name: "database", doc: "Database (schema) of the table."},
			{name: "table", doc: "The table or view that is read."},
			{name: "timestamp_column", doc: "Column that orders the rows.", optional: true},
			{name: "stream", doc: "The stream that is written to.", optional: true},
			jobIDAttribute,
		},
		find: findJob(jobs.KindTableImport),
	}
}

func audienceExportIdentity() resourceIdentity {
	return resourceIdentity{
		changes: true, // a move from Lytics gives the export a table's name
		attributes: []identityAttribute{
			{name: "catalog", doc: "Catalog that is written to."},
			{name: "database", doc: "Database (schema) that is written to."},
			{name: "table_name", doc: "The table that is written. An export of Lytics has none.", optional: true},
			jobIDAttribute,
		},
		find: findJob(jobs.KindAudienceExport),
	}
}

// jobIdentity has the values of a job's identity.
func jobIdentity(j jobs.Job) map[string]string {
	if e := j.Export; e != nil {
		return map[string]string{"id": j.ID, "catalog": e.Catalog, "database": e.Database, "table_name": e.TableName}
	}
	i := j.Import
	return map[string]string{"id": j.ID, "catalog": i.Catalog, "database": i.Database, "table": i.Table,
		"timestamp_column": i.TimestampColumn, "stream": i.Stream}
}

// findJob finds the job of a kind that has the given values.
func findJob(kind jobs.Kind) func(context.Context, jobs.API, map[string]string) (string, error) {
	return func(ctx context.Context, api jobs.API, given map[string]string) (string, error) {
		if strings.HasPrefix(given["id"], jobs.LyticsIDPrefix) {
			return given["id"], nil // the store does not know the job yet
		}
		all, err := api.Jobs(ctx)
		if err != nil {
			return "", err
		}
		noun := nounOfKind(kind)
		var found, have []string
		for _, j := range all {
			if j.Kind() != kind {
				continue
			}
			is := jobIdentity(j)
			if fits(is, given) {
				found = append(found, j.ID)
			}
			have = append(have, describeIdentity(is))
		}
		slices.Sort(found)
		slices.Sort(have)
		switch len(found) {
		case 1:
			return found[0], nil
		case 0:
			return "", noneWithIdentity(noun, given, have)
		}
		return "", &jobs.Error{
			Code: jobs.CodeConflict, Summary: fmt.Sprintf("%d jobs have this identity", len(found)),
			Detail: fmt.Sprintf("The import block has %s. Each of %s is such a %s: they differ in what the block leaves out, or in the workspace.",
				describeIdentity(given), firstOf(found, ", "), noun),
			Next: "Add the id of one of them to identity",
		}
	}
}

// fits reports whether an object has all given values.
func fits(is, given map[string]string) bool {
	for name, v := range given {
		if is[name] != v {
			return false
		}
	}
	return true
}

func nounOfKind(k jobs.Kind) string {
	if k == jobs.KindAudienceExport {
		return "audience export"
	}
	return "table import"
}
