package provider

import (
	"context"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// listing describes to listResource how the objects of one resource are listed. T is the
// object of jobs.API.
type listing[T any] struct {
	// resource is the type of the resource without the provider's name.
	resource string
	plural   string
	identity resourceIdentity
	filters  []listFilter[T]
	all      func(jobs.API, context.Context) ([]T, error)
	label    func(T) string
	// complete, unless nil, reads what a list does not have.
	complete func(context.Context, jobs.API, T) (T, error)
	// show sets object as a refresh of the resource does. Before, every attribute of
	// object is null.
	show func(ctx context.Context, object *tfsdk.Resource, v T, diags *diag.Diagnostics)
}

// listFilter is an attribute of the configuration that chooses objects.
type listFilter[T any] struct {
	name, doc string
	// pattern is whether the attribute is a pattern for the value, and flag whether it is
	// a bool. Otherwise it is the value.
	pattern, flag bool
	// allowed, unless nil, checks the attribute.
	allowed validator.String
	value   func(T) string
}

// listResource lists the objects of a resource, for terraform query of Terraform 1.14 and
// newer.
type listResource[T any] struct {
	session *session
	listing[T]
}

var _ list.ListResourceWithConfigure = (*listResource[jobs.Field])(nil)

func newListResource[T any](of func() listing[T]) func() list.ListResource {
	return func() list.ListResource { return &listResource[T]{listing: of()} }
}

func (l *listResource[T]) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + l.resource
}

// Configure receives the session. There is none while Terraform validates.
func (l *listResource[T]) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if s, ok := req.ProviderData.(*session); ok {
		l.session = s
	}
}

func (l *listResource[T]) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest,
	resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the " + l.plural + " of the store, no matter which state manages them, for `terraform query` (Terraform " +
			"1.14 or newer). A configuration that is generated from the list imports them, and its plan is empty.",
		Attributes: map[string]schema.Attribute{},
	}
	for _, f := range l.filters {
		doc := "Only those whose " + f.doc + "."
		switch {
		case f.flag:
			resp.Schema.Attributes[f.name] = schema.BoolAttribute{Optional: true, MarkdownDescription: doc + " Default: all."}
			continue
		case f.pattern:
			doc += " `*` stands for any characters, `|` separates alternatives, upper and lower case are the same."
		}
		checks := []validator.String{nonEmptyText()}
		if f.allowed != nil {
			checks = []validator.String{f.allowed}
		}
		resp.Schema.Attributes[f.name] = schema.StringAttribute{Optional: true, MarkdownDescription: doc + " Default: all.", Validators: checks}
	}
}

// List reads all objects at once and shows them one by one.
func (l *listResource[T]) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var diags diag.Diagnostics
	api, chosen := l.choose(ctx, req.Config, &diags)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	if req.Limit > 0 && int64(len(chosen)) > req.Limit {
		chosen = chosen[:req.Limit]
	}
	stream.Results = func(yield func(list.ListResult) bool) {
		for _, v := range chosen {
			if !yield(l.result(ctx, api, req, v)) {
				return
			}
		}
	}
}

// choose returns the objects that all filters admit.
func (l *listResource[T]) choose(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics) (jobs.API, []T) {
	var admitted []func(T) bool
	for _, f := range l.filters {
		if match := f.read(ctx, config, diags); match != nil {
			admitted = append(admitted, func(v T) bool { return match(f.value(v)) })
		}
	}
	if diags.HasError() {
		return nil, nil
	}
	api, err := l.session.connect(ctx)
	if err == nil {
		_, err = api.Store(ctx, false)
	}
	var all []T
	if err == nil {
		all, err = l.all(api, ctx)
	}
	if err != nil {
		addError(diags, noAttribute, "list the "+l.plural, err)
		return nil, nil
	}
	var chosen []T
	for _, v := range all {
		ok := true
		for _, admits := range admitted {
			ok = ok && admits(v)
		}
		if ok {
			chosen = append(chosen, v)
		}
	}
	return api, chosen
}

// read returns what the filter's value has to match, or nil if the filter is left out.
func (f listFilter[T]) read(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics) func(string) bool {
	at := path.Root(f.name)
	if f.flag {
		var v types.Bool
		diags.Append(config.GetAttribute(ctx, at, &v)...)
		if v.IsNull() {
			return nil
		}
		return func(text string) bool { return text == strconv.FormatBool(v.ValueBool()) }
	}
	var v types.String
	diags.Append(config.GetAttribute(ctx, at, &v)...)
	switch {
	case v.IsNull():
		return nil
	case f.pattern:
		return jobs.NamePattern(v.ValueString())
	}
	return func(text string) bool { return text == v.ValueString() }
}

func (l *listResource[T]) result(ctx context.Context, api jobs.API, req list.ListRequest, v T) list.ListResult {
	r := req.NewListResult(ctx)
	r.DisplayName = printable(l.label(v))
	if l.complete != nil && req.IncludeResource {
		read, err := l.complete(ctx, api, v)
		if err != nil {
			addError(&r.Diagnostics, noAttribute, "read "+r.DisplayName, err)
			return r
		}
		v = read
	}
	object := withoutValues(ctx, r.Resource)
	l.show(ctx, object, v, &r.Diagnostics)
	if r.Diagnostics.HasError() {
		return r
	}
	l.identity.set(ctx, object.Raw, r.Identity, &r.Diagnostics)
	if r.Resource = nil; req.IncludeResource {
		r.Resource = object
	}
	return r
}

// withoutValues is an object whose attributes are null.
func withoutValues(ctx context.Context, r *tfsdk.Resource) *tfsdk.Resource {
	typ, _ := r.Schema.Type().TerraformType(ctx).(tftypes.Object)
	values := map[string]tftypes.Value{}
	for name, t := range typ.AttributeTypes {
		values[name] = tftypes.NewValue(t, nil)
	}
	return &tfsdk.Resource{Raw: tftypes.NewValue(typ, values), Schema: r.Schema}
}
