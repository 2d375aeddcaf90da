package provider

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// jobAttributes are the attributes that both kinds of job have.
type jobAttributes struct {
	ID                  types.String   `tfsdk:"id"`
	Label               types.String   `tfsdk:"label"`
	Description         types.String   `tfsdk:"description"`
	AuthorizationID     types.String   `tfsdk:"authorization_id"`
	ManagedBy           types.String   `tfsdk:"managed_by"`
	QueryTimeoutMinutes types.Int64    `tfsdk:"query_timeout_minutes"`
	Schedule            types.Object   `tfsdk:"schedule"`
	Triggers            types.Map      `tfsdk:"triggers"`
	After               types.Set      `tfsdk:"after"`
	Wait                types.Bool     `tfsdk:"wait"`
	FailOnError         types.Bool     `tfsdk:"fail_on_error"`
	CheckSource         types.Bool     `tfsdk:"check_source"`
	ExpectedEvery       types.String   `tfsdk:"expected_every"`
	Timeouts            timeouts.Value `tfsdk:"timeouts"`
	LastRun             types.Object   `tfsdk:"last_run"`
}

// jobModel is the Terraform model of one kind of job.
type jobModel interface {
	job() *jobAttributes
	// keyAttributes are the kind's own attributes that tell a job from others.
	keyAttributes() []attr.Value
	// dataAttributes are the kind's own attributes that a dry run needs.
	dataAttributes() []attr.Value
	// addToSpec adds the kind's own attributes to a definition.
	addToSpec(context.Context, *jobs.JobSpec, *diag.Diagnostics)
	// setComputed sets the attributes that were unknown at plan from the stored
	// definition. Known ones must stay as planned, or Terraform reports an
	// inconsistent result.
	setComputed(jobs.JobSpec)
	// setFromSpec sets the kind's own attributes from the stored definition.
	setFromSpec(context.Context, jobs.JobSpec, *diag.Diagnostics)
}

// jobKind describes one of the two job resources to jobResource.
type jobKind struct {
	name     string
	noun     string
	kind     jobs.Kind
	usage    runUsage
	schema   func(context.Context) schema.Schema
	newModel func() jobModel
	// planComputed plans the kind's own computed attributes and returns those that
	// replace the job. prior is nil for a new job; api is nil if there is no store
	// yet or it is not known.
	planComputed func(ctx context.Context, api jobs.API, config, prior, planned jobModel) path.Paths
}

func (m *jobAttributes) job() *jobAttributes { return m }

// jobSpec returns the definition of a model.
func jobSpec(ctx context.Context, m jobModel, diags *diag.Diagnostics) jobs.JobSpec {
	j := m.job()
	s := jobs.JobSpec{
		Label:           j.Label.ValueString(),
		Description:     j.Description.ValueString(),
		AuthorizationID: j.AuthorizationID.ValueString(),
		ManagedBy:       jobs.Manager(j.ManagedBy.ValueString()),
		QueryTimeout:    time.Duration(j.QueryTimeoutMinutes.ValueInt64()) * time.Minute,
		Triggers:        triggerValues(ctx, j.Triggers, diags),
		FailOnError:     j.FailOnError.ValueBool(),
		After:           afterIDs(ctx, j.After, diags),
		Wait:            j.Wait.ValueBoolPointer(),
		CheckSource:     j.CheckSource.ValueBoolPointer(),
	}
	if v := j.ExpectedEvery; !v.IsNull() && !v.IsUnknown() {
		every, err := readExpectedEvery(v.ValueString())
		if err != nil {
			addInvalidValue(diags, path.Root("expected_every"), err)
		}
		s.ExpectedEverySeconds = int64(every / time.Second)
	}
	s.Schedule, _ = readSchedule(ctx, j.Schedule, diags)
	m.addToSpec(ctx, &s, diags)
	return s
}

// setFromJob sets a model from the stored job. Attributes that the store does not
// have (timeouts, last_run) stay.
func setFromJob(ctx context.Context, m jobModel, job jobs.Job, diags *diag.Diagnostics) {
	j := m.job()
	j.ID = types.StringValue(job.ID)
	j.Label = types.StringValue(job.Label)
	j.Description = types.StringValue(job.Description)
	j.AuthorizationID = types.StringValue(job.AuthorizationID)
	j.ManagedBy = managerValue(job.ManagedBy)
	j.QueryTimeoutMinutes = types.Int64Value(int64(job.QueryTimeout / time.Minute))
	j.Schedule = scheduleObject(job)
	j.FailOnError = types.BoolValue(job.FailOnError)
	j.Wait = types.BoolValue(job.Wait == nil || *job.Wait)
	j.CheckSource = types.BoolValue(job.CheckSource == nil || *job.CheckSource)
	j.ExpectedEvery = expectedEveryValue(j.ExpectedEvery, job.ExpectedEvery())
	j.Triggers = noTriggers
	if len(job.Triggers) > 0 {
		t, d := types.MapValueFrom(ctx, types.StringType, job.Triggers)
		diags.Append(d...)
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
	m.setFromSpec(ctx, job.JobSpec, diags)
}

// managerValue shows a manager. An empty one is this provider.
func managerValue(m jobs.Manager) types.String {
	return types.StringValue(string(cmp.Or(m, jobs.ManagedByProvider)))
}

// inLytics reports whether Lytics executes the job.
func (m *jobAttributes) inLytics() bool {
	return m.ManagedBy.ValueString() == string(jobs.ManagedByLytics)
}

func afterIDs(ctx context.Context, s types.Set, diags *diag.Diagnostics) []string {
	if s.IsNull() || s.IsUnknown() || len(s.Elements()) == 0 {
		return nil
	}
	var out []string
	diags.Append(s.ElementsAs(ctx, &out, false)...)
	slices.Sort(out)
	return out
}

// runsInApply reports whether the apply that creates the job also runs it: if
// neither a schedule nor other jobs start it.
func (m *jobAttributes) runsInApply() bool {
	return m.Schedule.IsNull() && len(m.After.Elements()) == 0
}

// noTriggers is the default of triggers, so that {} and no triggers are the same.
var noTriggers = types.MapValueMust(types.StringType, map[string]attr.Value{})

func triggerValues(ctx context.Context, m types.Map, diags *diag.Diagnostics) map[string]string {
	if m.IsNull() || m.IsUnknown() || len(m.Elements()) == 0 {
		return nil
	}
	out := map[string]string{}
	diags.Append(m.ElementsAs(ctx, &out, false)...)
	return out
}

// triggersChanged reports whether the change of triggers runs the job.
func triggersChanged(prior, planned types.Map) bool {
	if planned.IsUnknown() {
		return true
	}
	if len(prior.Elements()) == 0 && len(planned.Elements()) == 0 {
		return false
	}
	return !prior.Equal(planned)
}
