package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type namedObject struct {
	Name    types.String `tfsdk:"name"`
	Comment types.String `tfsdk:"comment"`
}

type catalogsDataSource struct{ dataSourceBase }

type catalogsModel struct {
	catalogSource
	Pattern  types.String  `tfsdk:"pattern"`
	Catalogs []namedObject `tfsdk:"catalogs"`
}

func (d *catalogsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_databricks_catalogs"
}

func (d *catalogsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The catalogs that an authorization can see, sorted by name.",
		Attributes: withConnection(map[string]schema.Attribute{
			"pattern":  patternAttribute("catalogs"),
			"catalogs": namedObjectsAttribute("The catalogs."),
		}),
	}
}

func namedObjectsAttribute(doc string) schema.ListNestedAttribute {
	return schema.ListNestedAttribute{
		Computed: true, MarkdownDescription: doc,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"name":    computedString("Name."),
			"comment": computedString("Comment, if it has one."),
		}},
	}
}

func (d *catalogsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m catalogsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	from := d.openCatalog(ctx, m.catalogSource, req, resp)
	if from == nil || resp.Diagnostics.HasError() {
		return
	}
	list, err := from.catalogs(ctx, m.Pattern.ValueString())
	if err != nil {
		from.addError(&resp.Diagnostics, "list the catalogs", err)
		return
	}
	m.Catalogs = []namedObject{}
	for _, c := range list {
		m.Catalogs = append(m.Catalogs, namedObject{types.StringValue(c.Name), nullIfEmpty(c.Comment)})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

type databasesDataSource struct{ dataSourceBase }

type databasesModel struct {
	catalogSource
	Catalog   types.String  `tfsdk:"catalog"`
	Pattern   types.String  `tfsdk:"pattern"`
	Databases []namedObject `tfsdk:"databases"`
}

func (d *databasesDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_databricks_databases"
}

func (d *databasesDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The databases (schemas) of a catalog, sorted by name.",
		Attributes: withConnection(map[string]schema.Attribute{
			"catalog":   requiredString("The catalog."),
			"pattern":   patternAttribute("databases"),
			"databases": namedObjectsAttribute("The databases."),
		}),
	}
}

func (d *databasesDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m databasesModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	from := d.openCatalog(ctx, m.catalogSource, req, resp)
	if from == nil || resp.Diagnostics.HasError() {
		return
	}
	list, err := from.databases(ctx, m.Catalog.ValueString(), m.Pattern.ValueString())
	if err != nil {
		from.addError(&resp.Diagnostics, "list the databases", err)
		return
	}
	m.Databases = []namedObject{}
	for _, x := range list {
		m.Databases = append(m.Databases, namedObject{types.StringValue(x.Name), nullIfEmpty(x.Comment)})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

type tablesDataSource struct{ dataSourceBase }

type tableModel struct {
	Name    types.String `tfsdk:"name"`
	Type    types.String `tfsdk:"type"`
	Comment types.String `tfsdk:"comment"`
}

type tablesModel struct {
	catalogSource
	Catalog  types.String `tfsdk:"catalog"`
	Database types.String `tfsdk:"database"`
	Pattern  types.String `tfsdk:"pattern"`
	Tables   []tableModel `tfsdk:"tables"`
}

func (d *tablesDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_databricks_tables"
}

func (d *tablesDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The tables and views of a database, sorted by name.",
		Attributes: withConnection(map[string]schema.Attribute{
			"catalog":  requiredString("The catalog."),
			"database": requiredString("The database (schema)."),
			"pattern":  patternAttribute("tables"),
			"tables": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The tables and views.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name": computedString("Name."),
					"type": computedString("`MANAGED`, `EXTERNAL`, `VIEW`, `MATERIALIZED_VIEW`, `STREAMING_TABLE` or `FOREIGN`; " +
						"`TABLE` if the catalog does not say."),
					"comment": computedString("Comment, if it has one."),
				}},
			},
		}),
	}
}

func (d *tablesDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m tablesModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	from := d.openCatalog(ctx, m.catalogSource, req, resp)
	if from == nil || resp.Diagnostics.HasError() {
		return
	}
	list, err := from.tables(ctx, m.Catalog.ValueString(), m.Database.ValueString(), m.Pattern.ValueString())
	if err != nil {
		from.addError(&resp.Diagnostics, "list the tables", err)
		return
	}
	m.Tables = []tableModel{}
	for _, t := range list {
		m.Tables = append(m.Tables, tableModel{types.StringValue(t.Name), types.StringValue(t.Type), nullIfEmpty(t.Comment)})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

type columnsDataSource struct{ dataSourceBase }

type columnModel struct {
	Name     types.String `tfsdk:"name"`
	Type     types.String `tfsdk:"type"`
	Nullable types.Bool   `tfsdk:"nullable"`
	Comment  types.String `tfsdk:"comment"`
	Position types.Int64  `tfsdk:"position"`
}

type columnsModel struct {
	catalogSource
	Catalog  types.String  `tfsdk:"catalog"`
	Database types.String  `tfsdk:"database"`
	Table    types.String  `tfsdk:"table"`
	Pattern  types.String  `tfsdk:"pattern"`
	Columns  []columnModel `tfsdk:"columns"`
}

func (d *columnsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_databricks_columns"
}

func (d *columnsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The columns of a table or view, in their order.",
		Attributes: withConnection(map[string]schema.Attribute{
			"catalog":  requiredString("The catalog."),
			"database": requiredString("The database (schema)."),
			"table":    requiredString("The table or view."),
			"pattern":  patternAttribute("columns"),
			"columns": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The columns.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":     computedString("Name."),
					"type":     computedString("Databricks type, such as `decimal(18,2)` or `array<string>`."),
					"nullable": schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether it may be NULL."},
					"comment":  computedString("Comment, if it has one."),
					"position": schema.Int64Attribute{Computed: true, MarkdownDescription: "Position in the table, from 1."},
				}},
			},
		}),
	}
}

func (d *columnsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m columnsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	from := d.openCatalog(ctx, m.catalogSource, req, resp)
	if from == nil || resp.Diagnostics.HasError() {
		return
	}
	table := jobs.TableName{Catalog: m.Catalog.ValueString(), Database: m.Database.ValueString(), Table: m.Table.ValueString()}
	list, err := from.columns(ctx, table, m.Pattern.ValueString())
	if err != nil {
		from.addError(&resp.Diagnostics, "list the columns", err)
		return
	}
	m.Columns = []columnModel{}
	for _, c := range list {
		m.Columns = append(m.Columns, columnModel{
			Name: types.StringValue(c.Name), Type: types.StringValue(c.Type), Nullable: types.BoolValue(c.Nullable),
			Comment: nullIfEmpty(c.Comment), Position: types.Int64Value(int64(c.Position)),
		})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}
