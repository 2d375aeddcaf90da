package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/filterql"
)

// parseFilter is the function parse_filter.
type parseFilter struct{}

func newParseFilterFunction() function.Function { return parseFilter{} }

var parsedFilterTypes = map[string]attr.Type{
	"normalized": types.StringType,
	"fields":     types.ListType{ElemType: types.StringType},
	"includes":   types.ListType{ElemType: types.StringType},
	"alias":      types.StringType,
	"from":       types.StringType,
	"limit":      types.Int64Type,
}

func (parseFilter) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "parse_filter"
}

func (parseFilter) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "What a filter names, and the filter written in one way",
		MarkdownDescription: "Parses a FilterQL filter and returns an object: `normalized`, the filter with the word `FILTER`, reserved words " +
			"in capitals, one space where there was white space, and without comments; `fields`, the ids of the fields that it names, and " +
			"`includes`, the audiences, both sorted; `from`, the table (`user` without the clause); `alias` and `limit`, " +
			"null without the clause. A filter that cannot be parsed is an error with its position. Two filters that differ only in what " +
			"has no meaning have the same `normalized`. " +
			"The function reads no configuration and no platform.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "filter", MarkdownDescription: "Filter, such as `FILTER AND (EXISTS email, age > 30)`."},
		},
		Return: function.ObjectReturn{AttributeTypes: parsedFilterTypes},
	}
}

func (parseFilter) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	if resp.Error = req.Arguments.Get(ctx, &text); resp.Error != nil {
		return
	}
	f, err := platform.ParseFilter(text)
	if err != nil {
		resp.Error = argumentError(filterArgument, err)
		return
	}
	normalized, err := filterql.Normalize(text)
	if err != nil {
		resp.Error = argumentError(filterArgument, err)
		return
	}
	alias, limit := nullIfEmpty(f.Alias), types.Int64Null()
	if f.HasLimit {
		limit = types.Int64Value(f.Limit)
	}
	fields, d := types.ListValueFrom(ctx, types.StringType, append([]string{}, f.Fields()...))
	includes, more := types.ListValueFrom(ctx, types.StringType, append([]string{}, f.Includes()...))
	d.Append(more...)
	if resp.Error = function.FuncErrorFromDiags(ctx, d); resp.Error != nil {
		return
	}
	resp.Error = resp.Result.Set(ctx, types.ObjectValueMust(parsedFilterTypes, map[string]attr.Value{
		"normalized": types.StringValue(normalized), "fields": fields, "includes": includes, "alias": alias,
		"from": types.StringValue(f.From), "limit": limit,
	}))
}
