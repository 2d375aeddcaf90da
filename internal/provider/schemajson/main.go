// Command schemajson writes the provider's schemas to standard output, in the
// form of "terraform providers schema -json". The documentation is generated
// from it. Asking the provider directly needs no Terraform, and includes what an
// older Terraform does not know, such as actions.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	server, err := providerserver.NewProtocol6WithError(provider.New("dev", provider.Dependencies{})())()
	if err != nil {
		return err
	}
	got, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return err
	}
	for _, d := range got.Diagnostics {
		return fmt.Errorf("the provider's schema is invalid: %s: %s", d.Summary, d.Detail)
	}
	identities, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		return err
	}
	for _, d := range identities.Diagnostics {
		return fmt.Errorf("the schema of an identity is invalid: %s: %s", d.Summary, d.Detail)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(map[string]any{
		"format_version": "1.0",
		"provider_schemas": map[string]any{
			// The generator looks for the short name.
			"lytics": map[string]any{
				"provider":            schemaOf(got.Provider),
				"resource_schemas":    each(got.ResourceSchemas, schemaOf),
				"data_source_schemas": each(got.DataSourceSchemas, schemaOf),
				"functions":           each(got.Functions, functionOf),
				"action_schemas":      each(got.ActionSchemas, func(s *tfprotov6.ActionSchema) any { return schemaOf(s.Schema) }),

				"ephemeral_resource_schemas": each(got.EphemeralResourceSchemas, schemaOf),
				"list_resource_schemas":      each(got.ListResourceSchemas, schemaOf),
				"resource_identity_schemas":  each(identities.IdentitySchemas, identityOf),
			},
		},
	})
}

func each[T any](m map[string]T, f func(T) any) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		out[k] = f(v)
	}
	return out
}
