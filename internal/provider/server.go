package provider

import (
	"context"
	"iter"

	tfprovider "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/terminal"
)

// NewServer returns the server of a provider for Terraform. Every message that it
// sends passes through printable: Terraform prints it as it is.
func NewServer(p tfprovider.Provider) tfprotov6.ProviderServer {
	full, _ := providerserver.NewProtocol6(p)().(fullServer) // the framework's server has all of it
	return &server{full}
}

// fullServer is the part of the framework's server that this provider uses.
type fullServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ActionServer
	tfprotov6.ListResourceServer
}

type server struct{ fullServer }

// printable removes secrets and control characters from a message.
func printable(text string) string { return terminal.Text(redact.Text(text)) }

func allPrintable(all []*tfprotov6.Diagnostic) {
	for _, d := range all {
		d.Summary, d.Detail = printable(d.Summary), printable(d.Detail)
	}
}

func (s *server) ValidateProviderConfig(ctx context.Context,
	req *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	resp, err := s.fullServer.ValidateProviderConfig(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) ConfigureProvider(ctx context.Context,
	req *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	resp, err := s.fullServer.ConfigureProvider(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) ValidateResourceConfig(ctx context.Context,
	req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	resp, err := s.fullServer.ValidateResourceConfig(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) UpgradeResourceState(ctx context.Context,
	req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	resp, err := s.fullServer.UpgradeResourceState(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	resp, err := s.fullServer.ReadResource(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) PlanResourceChange(ctx context.Context,
	req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	resp, err := s.fullServer.PlanResourceChange(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) ApplyResourceChange(ctx context.Context,
	req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	resp, err := s.fullServer.ApplyResourceChange(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) ImportResourceState(ctx context.Context,
	req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	resp, err := s.fullServer.ImportResourceState(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) MoveResourceState(ctx context.Context,
	req *tfprotov6.MoveResourceStateRequest) (*tfprotov6.MoveResourceStateResponse, error) {
	resp, err := s.fullServer.MoveResourceState(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) ValidateDataResourceConfig(ctx context.Context,
	req *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	resp, err := s.fullServer.ValidateDataResourceConfig(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) ReadDataSource(ctx context.Context, req *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	resp, err := s.fullServer.ReadDataSource(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) ValidateActionConfig(ctx context.Context,
	req *tfprotov6.ValidateActionConfigRequest) (*tfprotov6.ValidateActionConfigResponse, error) {
	resp, err := s.fullServer.ValidateActionConfig(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) PlanAction(ctx context.Context, req *tfprotov6.PlanActionRequest) (*tfprotov6.PlanActionResponse, error) {
	resp, err := s.fullServer.PlanAction(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) ValidateEphemeralResourceConfig(ctx context.Context,
	req *tfprotov6.ValidateEphemeralResourceConfigRequest) (*tfprotov6.ValidateEphemeralResourceConfigResponse, error) {
	resp, err := s.fullServer.ValidateEphemeralResourceConfig(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) OpenEphemeralResource(ctx context.Context,
	req *tfprotov6.OpenEphemeralResourceRequest) (*tfprotov6.OpenEphemeralResourceResponse, error) {
	resp, err := s.fullServer.OpenEphemeralResource(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) RenewEphemeralResource(ctx context.Context,
	req *tfprotov6.RenewEphemeralResourceRequest) (*tfprotov6.RenewEphemeralResourceResponse, error) {
	resp, err := s.fullServer.RenewEphemeralResource(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) CloseEphemeralResource(ctx context.Context,
	req *tfprotov6.CloseEphemeralResourceRequest) (*tfprotov6.CloseEphemeralResourceResponse, error) {
	resp, err := s.fullServer.CloseEphemeralResource(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) CallFunction(ctx context.Context, req *tfprotov6.CallFunctionRequest) (*tfprotov6.CallFunctionResponse, error) {
	resp, err := s.fullServer.CallFunction(ctx, req)
	if resp != nil && resp.Error != nil {
		resp.Error.Text = printable(resp.Error.Text)
	}
	return resp, err
}

func (s *server) ValidateListResourceConfig(ctx context.Context,
	req *tfprotov6.ValidateListResourceConfigRequest) (*tfprotov6.ValidateListResourceConfigResponse, error) {
	resp, err := s.fullServer.ValidateListResourceConfig(ctx, req)
	if resp != nil {
		allPrintable(resp.Diagnostics)
	}
	return resp, err
}

func (s *server) ListResource(ctx context.Context, req *tfprotov6.ListResourceRequest) (*tfprotov6.ListResourceServerStream, error) {
	stream, err := s.fullServer.ListResource(ctx, req)
	if stream != nil && stream.Results != nil {
		stream.Results = printableResults(stream.Results)
	}
	return stream, err
}

func printableResults(results iter.Seq[tfprotov6.ListResourceResult]) iter.Seq[tfprotov6.ListResourceResult] {
	return func(yield func(tfprotov6.ListResourceResult) bool) {
		for r := range results {
			allPrintable(r.Diagnostics)
			if !yield(r) {
				return
			}
		}
	}
}

func (s *server) InvokeAction(ctx context.Context, req *tfprotov6.InvokeActionRequest) (*tfprotov6.InvokeActionServerStream, error) {
	stream, err := s.fullServer.InvokeAction(ctx, req)
	if stream != nil && stream.Events != nil {
		stream.Events = printableEvents(stream.Events)
	}
	return stream, err
}

func printableEvents(events iter.Seq[tfprotov6.InvokeActionEvent]) iter.Seq[tfprotov6.InvokeActionEvent] {
	return func(yield func(tfprotov6.InvokeActionEvent) bool) {
		for event := range events {
			switch e := event.Type.(type) {
			case tfprotov6.ProgressInvokeActionEventType:
				e.Message = printable(e.Message)
				event.Type = e
			case tfprotov6.CompletedInvokeActionEventType:
				allPrintable(e.Diagnostics)
			}
			if !yield(event) {
				return
			}
		}
	}
}
