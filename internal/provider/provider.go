// Package provider is the Terraform side of the product: the schemas, the plan
// behaviour and the diagnostics of the provider "lytics". It knows the product
// only through jobs.API, and never meets the warehouse, the store or the
// platform itself.
package provider

import (
	"context"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Address is the provider's source address in the registry.
const Address = "registry.terraform.io/terraform-provider-lytics/lytics"

// Dependencies is what the provider is given from outside.
type Dependencies struct {
	// Open connects to the product. It is called at most once for a configured
	// provider that has something to do, and must not create the store. The API
	// lives as long as the process; whoever made it closes it.
	Open func(context.Context, config.Target) (jobs.API, error)
	// LookupEnv reads the environment; nil means os.LookupEnv.
	LookupEnv func(string) (string, bool)
}

type lyticsProvider struct {
	version string
	deps    Dependencies
}

var (
	_ provider.Provider              = (*lyticsProvider)(nil)
	_ provider.ProviderWithFunctions = (*lyticsProvider)(nil)
	_ provider.ProviderWithActions   = (*lyticsProvider)(nil)
)

// New gives the constructor that the plugin server and the tests use.
func New(version string, deps Dependencies) func() provider.Provider {
	if deps.LookupEnv == nil {
		deps.LookupEnv = os.LookupEnv
	}
	return func() provider.Provider { return &lyticsProvider{version: version, deps: deps} }
}

func (p *lyticsProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "lytics"
	resp.Version = p.version
}

func (p *lyticsProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = providerSchema()
}

func (p *lyticsProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	c, diags := readConfig(ctx, req.Config, p.deps.LookupEnv)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	s := &session{open: p.deps.Open, config: c}
	resp.ResourceData = s
	resp.DataSourceData = s
	resp.ActionData = s
}

func (p *lyticsProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		func() resource.Resource { return &authorizationResource{} },
		newTableImportResource,
		newAudienceExportResource,
		newPlatformObjectResource(fieldObject),
		newPlatformObjectResource(mappingObject),
		newPlatformObjectResource(audienceObject),
	}
}

func (p *lyticsProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		func() datasource.DataSource { return &catalogsDataSource{} },
		func() datasource.DataSource { return &databasesDataSource{} },
		func() datasource.DataSource { return &tablesDataSource{} },
		func() datasource.DataSource { return &columnsDataSource{} },
		func() datasource.DataSource { return &fieldsDataSource{} },
		func() datasource.DataSource { return &streamsDataSource{} },
		func() datasource.DataSource { return &audienceDataSource{} },
		func() datasource.DataSource { return &audiencesDataSource{} },
		func() datasource.DataSource { return &profileDataSource{} },
		func() datasource.DataSource { return &jobsDataSource{} },
		func() datasource.DataSource { return &jobRunsDataSource{} },
	}
}

func (p *lyticsProvider) Actions(context.Context) []func() action.Action {
	return []func() action.Action{func() action.Action { return &runJobAction{} }}
}

func (p *lyticsProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{newDefaultStreamFunction, newExportTableFunction}
}
