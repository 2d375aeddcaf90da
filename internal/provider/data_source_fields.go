package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type fieldsDataSource struct{ reader }

type fieldsModel struct {
	Fields []fieldRow `tfsdk:"fields"`
}

type fieldRow struct {
	ID             types.String `tfsdk:"id"`
	Description    types.String `tfsdk:"description"`
	Type           types.String `tfsdk:"type"`
	IsIdentifier   types.Bool   `tfsdk:"is_identifier"`
	IsPII          types.Bool   `tfsdk:"is_pii"`
	MergeOperation types.String `tfsdk:"merge_operation"`
	Capacity       types.Int64  `tfsdk:"capacity"`
	KeepDays       types.Int64  `tfsdk:"keep_days"`
}

func (d *fieldsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_fields"
}

func computedFlag(doc string) schema.BoolAttribute {
	return schema.BoolAttribute{Computed: true, MarkdownDescription: doc}
}

func computedNumber(doc string) schema.Int64Attribute {
	return schema.Int64Attribute{Computed: true, MarkdownDescription: doc}
}

func (d *fieldsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The user fields of the platform, by id, whoever defined them.",
		Attributes: map[string]schema.Attribute{
			"fields": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The fields.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"id":              computedText("Id: the field's name in profiles and in exported tables."),
					"description":     computedText("What it is for."),
					"type":            computedText("Its type."),
					"is_identifier":   computedFlag("Whether profiles are joined by its values."),
					"is_pii":          computedFlag("Whether it is personal data."),
					"merge_operation": computedText("How several values become one."),
					"capacity":        computedNumber("The most elements of a collection; null for the default."),
					"keep_days":       computedNumber("Days that an element is kept; null for ever."),
				}},
			},
		},
	}
}

func (d *fieldsDataSource) Read(ctx context.Context, _ datasource.ReadRequest, resp *datasource.ReadResponse) {
	api := d.api(ctx, &resp.Diagnostics)
	if api == nil {
		return
	}
	list, err := api.Fields(ctx)
	if err != nil {
		addError(&resp.Diagnostics, nowhere, "list the fields", err)
		return
	}
	m := fieldsModel{Fields: []fieldRow{}}
	for _, f := range list {
		m.Fields = append(m.Fields, fieldRow{
			ID: types.StringValue(f.ID), Description: text(f.Description), Type: types.StringValue(f.Type),
			IsIdentifier: types.BoolValue(f.IsIdentifier), IsPII: types.BoolValue(f.IsPII), MergeOperation: types.StringValue(f.MergeOperation),
			Capacity: unlessZero(f.Capacity), KeepDays: unlessZero(f.KeepDays),
		})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func unlessZero(n int64) types.Int64 {
	if n == 0 {
		return types.Int64Null()
	}
	return types.Int64Value(n)
}

type streamsDataSource struct{ reader }

type streamsModel struct {
	Streams []streamRow `tfsdk:"streams"`
}

type streamRow struct {
	Name      types.String `tfsdk:"name"`
	Events    types.Int64  `tfsdk:"events"`
	Bytes     types.Int64  `tfsdk:"bytes"`
	FirstTime types.String `tfsdk:"first_time"`
	LastTime  types.String `tfsdk:"last_time"`
}

func (d *streamsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_streams"
}

func (d *streamsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The streams of raw events, by name, and what they hold.",
		Attributes: map[string]schema.Attribute{
			"streams": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The streams.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":       computedText("Name."),
					"events":     computedNumber("How many events it holds."),
					"bytes":      computedNumber("Bytes of those events; 0 where the platform does not tell."),
					"first_time": computedText("The earliest time of an event (RFC 3339); null without one."),
					"last_time":  computedText("The latest time of an event (RFC 3339); null without one."),
				}},
			},
		},
	}
}

func (d *streamsDataSource) Read(ctx context.Context, _ datasource.ReadRequest, resp *datasource.ReadResponse) {
	api := d.api(ctx, &resp.Diagnostics)
	if api == nil {
		return
	}
	list, err := api.Streams(ctx)
	if err != nil {
		addError(&resp.Diagnostics, nowhere, "list the streams", err)
		return
	}
	m := streamsModel{Streams: []streamRow{}}
	for _, s := range list {
		m.Streams = append(m.Streams, streamRow{
			Name: types.StringValue(s.Name), Events: types.Int64Value(s.Events), Bytes: types.Int64Value(s.Bytes),
			FirstTime: moment(s.FirstTime), LastTime: moment(s.LastTime),
		})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}
