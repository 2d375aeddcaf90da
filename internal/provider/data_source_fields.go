package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type fieldsDataSource struct{ dataSourceBase }

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
		MarkdownDescription: "The user fields of the platform, sorted by id, no matter who defined them.",
		Attributes: map[string]schema.Attribute{
			"fields": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The fields.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"id":              computedString("Id: the field's name in profiles and in exported tables."),
					"description":     computedString("Description of the field."),
					"type":            computedString("Type of the field."),
					"is_identifier":   computedFlag("Whether profiles are joined by its values."),
					"is_pii":          computedFlag("Whether it is personal data."),
					"merge_operation": computedString("How the values of several events are merged."),
					"capacity":        computedNumber("Maximum number of elements of a collection; null for the default."),
					"keep_days":       computedNumber("Days that a value is kept; null for no limit."),
				}},
			},
		},
	}
}

func (d *fieldsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	api := d.openForRead(ctx, req, resp)
	if api == nil {
		return
	}
	list, err := api.Fields(ctx)
	if err != nil {
		addError(&resp.Diagnostics, noAttribute, "list the fields", err)
		return
	}
	m := fieldsModel{Fields: []fieldRow{}}
	for _, f := range list {
		m.Fields = append(m.Fields, fieldRow{
			ID: types.StringValue(f.ID), Description: nullIfEmpty(f.Description), Type: types.StringValue(f.Type),
			IsIdentifier: types.BoolValue(f.IsIdentifier), IsPII: types.BoolValue(f.IsPII), MergeOperation: types.StringValue(f.MergeOperation),
			Capacity: nullIfZero(f.Capacity), KeepDays: nullIfZero(f.KeepDays),
		})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

type streamsDataSource struct{ dataSourceBase }

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
		MarkdownDescription: "The streams of raw events, sorted by name, with their sizes.",
		Attributes: map[string]schema.Attribute{
			"streams": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "The streams.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":       computedString("Name."),
					"events":     computedNumber("Number of events."),
					"bytes":      computedNumber("Size of those events in bytes; 0 if the platform does not report it."),
					"first_time": computedString("Time of the earliest event (RFC 3339); null without events."),
					"last_time":  computedString("Time of the latest event (RFC 3339); null without events."),
				}},
			},
		},
	}
}

func (d *streamsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	api := d.openForRead(ctx, req, resp)
	if api == nil {
		return
	}
	list, err := api.Streams(ctx)
	if err != nil {
		addError(&resp.Diagnostics, noAttribute, "list the streams", err)
		return
	}
	m := streamsModel{Streams: []streamRow{}}
	for _, s := range list {
		m.Streams = append(m.Streams, streamRow{
			Name: types.StringValue(s.Name), Events: types.Int64Value(s.Events), Bytes: types.Int64Value(s.Bytes),
			FirstTime: formatTime(s.FirstTime), LastTime: formatTime(s.LastTime),
		})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}
