package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// reader is what every data source has: the way to the product.
type reader struct{ session *session }

// Configure takes the session; it is nil while Terraform only validates.
func (r *reader) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	if s, ok := req.ProviderData.(*session); ok {
		r.session = s
	}
}

// api gives the API, or says why there is none.
func (r *reader) api(ctx context.Context, diags *diag.Diagnostics) jobs.API {
	api, err := r.session.connect(ctx)
	if err == nil {
		_, err = api.Store(ctx, false)
	}
	if err != nil {
		e := *asError(err, "open the store")
		e.Next = paragraphs(e.Next, "A data source that reads what the same configuration creates needs depends_on, so that it is read after that.")
		addError(diags, nowhere, "open the store", &e)
		return nil
	}
	return api
}

func requiredText(doc string) schema.StringAttribute {
	return schema.StringAttribute{Required: true, MarkdownDescription: doc, Validators: []validator.String{plainText()}}
}

func patternAttribute(of string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional: true,
		MarkdownDescription: "Only " + of + " whose name matches: `*` stands for any characters, `|` separates alternatives, case is ignored. " +
			"Left out: all.",
		Validators: []validator.String{plainText()},
	}
}

func computedText(doc string) schema.StringAttribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: doc}
}
