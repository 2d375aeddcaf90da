package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// nameFunction makes a name from others, as the resources' defaults do.
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
		summary: "Stream of an import that names none",
		doc:     "Gives `databricks_{catalog}_{database}_{table}`, the stream that a `lytics_databricks_table_import` writes to when it names none.",
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
		summary: "Table of an export that names none",
		doc:     "Gives `lytics_user_{audience_slug}`, the table that a `lytics_databricks_audience_export` writes when it names none.",
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
