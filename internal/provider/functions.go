package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// nameFunction derives a name in the same way as the default of a resource's
// attribute.
type nameFunction struct {
	name       string
	summary    string
	doc        string
	parameters []function.Parameter
	result     func(context.Context, function.RunRequest) (string, *function.FuncError)
}

func (f nameFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = f.name
}

func (f nameFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary:             f.summary,
		MarkdownDescription: f.doc,
		Parameters:          f.parameters,
		Return:              function.StringReturn{},
	}
}

func (f nameFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	name, err := f.result(ctx, req)
	if err == nil {
		err = resp.Result.Set(ctx, name)
	}
	resp.Error = err
}

func newDefaultStreamFunction() function.Function {
	return nameFunction{
		name:    "default_stream",
		summary: "Default stream of a table import",
		doc: "Returns `databricks_{catalog}_{database}_{table}`, the stream that a `lytics_databricks_table_import` writes " +
			"to if it has no `stream`.",
		parameters: []function.Parameter{
			function.StringParameter{Name: "catalog", MarkdownDescription: "Catalog of the table."},
			function.StringParameter{Name: "database", MarkdownDescription: "Database (schema) of the table."},
			function.StringParameter{Name: "table", MarkdownDescription: "Name of the table."},
		},
		result: func(ctx context.Context, req function.RunRequest) (string, *function.FuncError) {
			var catalog, database, table string
			err := req.Arguments.Get(ctx, &catalog, &database, &table)
			return jobs.DefaultStream(catalog, database, table), err
		},
	}
}

func newExportTableFunction() function.Function {
	return nameFunction{
		name:    "export_table",
		summary: "Default table of an audience export",
		doc:     "Returns `lytics_user_{audience_slug}`, the table that a `lytics_databricks_audience_export` writes if it has no `table_name`.",
		parameters: []function.Parameter{
			function.StringParameter{Name: "audience_slug", MarkdownDescription: "Slug of the audience."},
		},
		result: func(ctx context.Context, req function.RunRequest) (string, *function.FuncError) {
			var slug string
			err := req.Arguments.Get(ctx, &slug)
			return jobs.ExportTable(slug), err
		},
	}
}
