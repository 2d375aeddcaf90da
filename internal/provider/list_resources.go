package provider

import (
	"context"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// named is a filter by a pattern, and equal one by a value.
func named[T any](name, doc string, value func(T) string) listFilter[T] {
	return listFilter[T]{name: name, doc: doc + " matches", pattern: true, value: value}
}

func equal[T any](name, doc string, value func(T) string) listFilter[T] {
	return listFilter[T]{name: name, doc: doc + " is this", value: value}
}

// managed is a filter by who keeps or executes the object. Another word would choose none.
func managed[T any](manager func(T) jobs.Manager) listFilter[T] {
	f := equal("managed_by", "`managed_by` (`provider` or `lytics`)", func(v T) string { return managerValue(manager(v)).ValueString() })
	f.allowed = managerValues()
	return f
}

func listedAuthorizations() listing[jobs.Authorization] {
	return listing[jobs.Authorization]{
		resource: "databricks_authorization", plural: "authorizations", identity: authorizationIdentity(),
		filters: []listFilter[jobs.Authorization]{
			named("label", "label", func(a jobs.Authorization) string { return a.Label }),
			named("host", "host", func(a jobs.Authorization) string { return a.Host }),
			managed(func(a jobs.Authorization) jobs.Manager { return a.ManagedBy }),
		},
		all:   jobs.API.ListAuthorizations,
		label: func(a jobs.Authorization) string { return a.Label },
		complete: func(ctx context.Context, api jobs.API, a jobs.Authorization) (jobs.Authorization, error) {
			return api.Authorization(ctx, a.ID)
		},
		show: func(ctx context.Context, object *tfsdk.Resource, a jobs.Authorization, diags *diag.Diagnostics) {
			var m authorizationModel
			diags.Append(object.Get(ctx, &m)...)
			m.setFromAuthorization(a)
			diags.Append(object.Set(ctx, m)...)
		},
	}
}

// listedJobs lists the jobs of a kind. own are the filters that the other kind has not.
func listedJobs(kind jobKind, plural string, identity resourceIdentity, own ...listFilter[jobs.Job]) listing[jobs.Job] {
	return listing[jobs.Job]{
		resource: kind.name, plural: plural, identity: identity,
		filters: append([]listFilter[jobs.Job]{
			named("label", "label", func(j jobs.Job) string { return j.Label }),
			equal("authorization_id", "`authorization_id`", func(j jobs.Job) string { return j.AuthorizationID }),
			managed(func(j jobs.Job) jobs.Manager { return j.ManagedBy }),
			named("catalog", "catalog", func(j jobs.Job) string { return jobIdentity(j)["catalog"] }),
			named("database", "database", func(j jobs.Job) string { return jobIdentity(j)["database"] }),
		}, own...),
		all: func(api jobs.API, ctx context.Context) ([]jobs.Job, error) {
			all, err := api.Jobs(ctx)
			var chosen []jobs.Job
			for _, j := range all {
				if j.Kind() == kind.kind {
					chosen = append(chosen, j)
				}
			}
			return chosen, err
		},
		label: func(j jobs.Job) string { return j.Label },
		show: func(ctx context.Context, object *tfsdk.Resource, j jobs.Job, diags *diag.Diagnostics) {
			m := kind.newModel()
			diags.Append(object.Get(ctx, m)...)
			setFromJob(ctx, m, j, diags)
			diags.Append(object.Set(ctx, m)...)
		},
	}
}

func listedTableImports() listing[jobs.Job] {
	return listedJobs(tableImportKind(), "table imports", tableImportIdentity(),
		named("table", "table", func(j jobs.Job) string { return j.Import.Table }),
		named("stream", "stream", func(j jobs.Job) string { return j.Import.Stream }))
}

func listedAudienceExports() listing[jobs.Job] {
	return listedJobs(audienceExportKind(), "audience exports", audienceExportIdentity(),
		named("table_name", "table", func(j jobs.Job) string { return j.Export.TableName }),
		equal("audience_id", "`audience_id`", func(j jobs.Job) string { return j.Export.AudienceID }))
}

// listedObjects lists the objects of a kind of the platform.
func listedObjects[M, O any](kind platformObject[M, O], plural string, all func(jobs.API, context.Context) ([]O, error),
	filters ...listFilter[O]) listing[O] {
	return listing[O]{
		resource: kind.noun, plural: plural, identity: kind.identity, filters: filters, all: all,
		label: func(v O) string { return kind.label(kind.model(v)) },
		show: func(ctx context.Context, object *tfsdk.Resource, v O, diags *diag.Diagnostics) {
			diags.Append(object.Set(ctx, kind.model(v))...)
		},
	}
}

func listedFields() listing[jobs.Field] {
	return listedObjects(fieldObject(), "fields", jobs.API.Fields,
		named("id", "id", func(f jobs.Field) string { return f.ID }),
		equal("type", "type", func(f jobs.Field) string { return f.Type }),
		listFilter[jobs.Field]{name: "is_identifier", doc: "`is_identifier` is this", flag: true,
			value: func(f jobs.Field) string { return strconv.FormatBool(f.IsIdentifier) }})
}

func listedMappings() listing[jobs.Mapping] {
	return listedObjects(mappingObject(), "mappings", jobs.API.Mappings,
		named("stream", "stream", func(m jobs.Mapping) string { return m.Stream }),
		named("field", "field", func(m jobs.Mapping) string { return m.Field }))
}

func listedAudiences() listing[jobs.Audience] {
	return listedObjects(audienceObject(), "audiences", jobs.API.Audiences,
		named("name", "name", func(a jobs.Audience) string { return a.Name }),
		named("slug", "slug", func(a jobs.Audience) string { return a.Slug }))
}
