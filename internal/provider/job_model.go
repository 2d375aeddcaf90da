package provider

import (
	"context"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// jobModel is what both kinds of job have.
type jobModel struct {
	ID                  types.String   `tfsdk:"id"`
	Label               types.String   `tfsdk:"label"`
	Description         types.String   `tfsdk:"description"`
	AuthorizationID     types.String   `tfsdk:"authorization_id"`
	QueryTimeoutMinutes types.Int64    `tfsdk:"query_timeout_minutes"`
	Schedule            types.Object   `tfsdk:"schedule"`
	Triggers            types.Map      `tfsdk:"triggers"`
	After               types.Set      `tfsdk:"after"`
	Wait                types.Bool     `tfsdk:"wait"`
	FailOnError         types.Bool     `tfsdk:"fail_on_error"`
	Timeouts            timeouts.Value `tfsdk:"timeouts"`
	LastRun             types.Object   `tfsdk:"last_run"`
}

// model is a kind of job as Terraform holds it.
type model interface {
	job() *jobModel
	// define adds the kind's own part to a definition.
	define(context.Context, *jobs.JobSpec, *diag.Diagnostics)
	// settle takes from a registered definition what was unknown at plan. What
	// was known stays as planned, or Terraform calls it inconsistent.
	settle(jobs.JobSpec)
	// show takes the kind's own part from a registered definition.
	show(context.Context, jobs.JobSpec, *diag.Diagnostics)
}

// kind is what tells the two job resources apart.
type kind struct {
	name   string
	noun   string
	kind   jobs.Kind
	in     shownIn
	schema func(context.Context) schema.Schema
	empty  func() model
	// plan settles the kind's own computed attributes. prior is nil when the
	// job is created; api is nil while the store is unknown or not there.
	plan func(ctx context.Context, api jobs.API, config, prior, planned model) path.Paths
}

func (m *jobModel) job() *jobModel { return m }

// spec gives the definition that a model stands for.
func spec(ctx context.Context, m model, diags *diag.Diagnostics) jobs.JobSpec {
	j := m.job()
	s := jobs.JobSpec{
		Label:           j.Label.ValueString(),
		Description:     j.Description.ValueString(),
		AuthorizationID: j.AuthorizationID.ValueString(),
		QueryTimeout:    time.Duration(j.QueryTimeoutMinutes.ValueInt64()) * time.Minute,
		Triggers:        triggersOf(ctx, j.Triggers, diags),
		FailOnError:     j.FailOnError.ValueBool(),
		After:           afterOf(ctx, j.After, diags),
		Wait:            j.Wait.ValueBoolPointer(),
	}
	s.Schedule, _ = readSchedule(ctx, j.Schedule, diags)
	m.define(ctx, &s, diags)
	return s
}

// show takes a registered job into a model. What the store does not hold
// (timeouts, last_run) stays.
func show(ctx context.Context, m model, job jobs.Job, diags *diag.Diagnostics) {
	j := m.job()
	j.ID = types.StringValue(job.ID)
	j.Label = types.StringValue(job.Label)
	j.Description = types.StringValue(job.Description)
	j.AuthorizationID = types.StringValue(job.AuthorizationID)
	j.QueryTimeoutMinutes = types.Int64Value(int64(job.QueryTimeout / time.Minute))
	j.Schedule = scheduleObject(job)
	j.FailOnError = types.BoolValue(job.FailOnError)
	j.Wait = types.BoolValue(job.Wait == nil || *job.Wait)
	// An empty map and none mean the same; the form that is written stays.
	if len(job.Triggers) > 0 || len(j.Triggers.Elements()) > 0 {
		t, d := types.MapValueFrom(ctx, types.StringType, job.Triggers)
		diags.Append(d...)
		if len(job.Triggers) == 0 {
			t = types.MapNull(types.StringType)
		}
		j.Triggers = t
	}
	if len(job.After) > 0 || len(j.After.Elements()) > 0 {
		after, d := types.SetValueFrom(ctx, types.StringType, job.After)
		diags.Append(d...)
		if len(job.After) == 0 {
			after = types.SetNull(types.StringType)
		}
		j.After = after
	}
	m.show(ctx, job.JobSpec, diags)
}

func afterOf(ctx context.Context, s types.Set, diags *diag.Diagnostics) []string {
	if s.IsNull() || s.IsUnknown() || len(s.Elements()) == 0 {
		return nil
	}
	var out []string
	diags.Append(s.ElementsAs(ctx, &out, false)...)
	slices.Sort(out)
	return out
}

// ownRun reports whether a new job is run by the apply that makes it: one that
// neither a schedule nor other jobs start.
func (m *jobModel) ownRun() bool {
	return m.Schedule.IsNull() && len(m.After.Elements()) == 0
}

func triggersOf(ctx context.Context, m types.Map, diags *diag.Diagnostics) map[string]string {
	if m.IsNull() || m.IsUnknown() || len(m.Elements()) == 0 {
		return nil
	}
	out := map[string]string{}
	diags.Append(m.ElementsAs(ctx, &out, false)...)
	return out
}

// triggered reports whether a change of triggers asks for a run.
func triggered(prior, planned types.Map) bool {
	if planned.IsUnknown() {
		return true
	}
	if len(prior.Elements()) == 0 && len(planned.Elements()) == 0 {
		return false
	}
	return !prior.Equal(planned)
}
