// Package provider is the Terraform provider "lytics": its schemas, plan behaviour
// and diagnostics. It reaches stores, warehouses and platforms through jobs.API
// only, and checks definitions with the pure packages schedule and platform.
package provider

import (
	"context"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Address is the provider's source address in the registry.
const Address = "registry.terraform.io/terraform-provider-lytics/lytics"

// Dependencies connect the provider to the product and to its environment.
type Dependencies struct {
	// Open connects to a runner or opens a store. A configured provider calls it
	// at most once. It must not create the store. The provider does not close the
	// API: Terraform does not say when a provider has finished.
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

	_ provider.ProviderWithListResources      = (*lyticsProvider)(nil)
	_ provider.ProviderWithEphemeralResources = (*lyticsProvider)(nil)
)

// New returns the constructor that a plugin server takes.
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
	resp.ListResourceData = s
	resp.EphemeralResourceData = s
}

func (p *lyticsProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		newAuthorizationResource,
		newTableImportResource,
		newAudienceExportResource,
		newPlatformObjectResource(fieldObject),
		newPlatformObjectResource(mappingObject),
		newPlatformObjectResource(audienceObject),
	}
}

func (p *lyticsProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{
		newListResource(listedAuthorizations),
		newListResource(listedTableImports),
		newListResource(listedAudienceExports),
		newListResource(listedFields),
		newListResource(listedMappings),
		newListResource(listedAudiences),
	}
}

func (p *lyticsProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{newProfileEphemeral, newAccessTokenEphemeral}
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
		func() datasource.DataSource { return &authorizationDataSource{} },
		func() datasource.DataSource { return &jobDataSource{} },
		func() datasource.DataSource { return &jobsDataSource{} },
		func() datasource.DataSource { return &jobRunsDataSource{} },
		func() datasource.DataSource { return &jobPreviewDataSource{} },
	}
}

func (p *lyticsProvider) Actions(context.Context) []func() action.Action {
	return []func() action.Action{newRunJobAction, newCancelRunAction, newPauseJobAction, newResumeJobAction}
}

func (p *lyticsProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{
		newDefaultStreamFunction, newExportTableFunction, newEvaluateFilterFunction, newEvaluateMappingFunction,
		newParseFilterFunction, newScheduleNextFunction,
	}
}
