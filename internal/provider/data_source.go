package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// dataSourceBase is the part that all data sources share.
type dataSourceBase struct{ session *session }

// Configure receives the session. There is none while Terraform validates.
func (r *dataSourceBase) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	if s, ok := req.ProviderData.(*session); ok {
		r.session = s
	}
}

// openForRead returns the API of a store that exists. It returns nil after an error, and
// if the read is deferred.
func (r *dataSourceBase) openForRead(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) jobs.API {
	if !r.session.known() && deferRead(ctx, req, resp) {
		return nil
	}
	api, err := r.session.connect(ctx)
	if err == nil {
		_, err = api.Store(ctx, false)
	}
	if err != nil {
		e := *toJobsError(err, "open the store")
		e.Next = paragraphs(e.Next, "If the same configuration creates what the data source reads, give the data source "+
			"depends_on, so that it is read afterwards.")
		r.session.addStoreError(e, &resp.Diagnostics)
		return nil
	}
	return api
}

func requiredString(doc string) schema.StringAttribute {
	return schema.StringAttribute{Required: true, MarkdownDescription: doc, Validators: []validator.String{nonEmptyText()}}
}

func patternAttribute(of string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional: true,
		MarkdownDescription: "Only " + of + " whose name matches: `*` stands for any characters, `|` separates alternatives, " +
			"upper and lower case are the same. " +
			"Default: all.",
		Validators: []validator.String{nonEmptyText()},
	}
}

func computedString(doc string) schema.StringAttribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: doc}
}
