package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// checkManager refuses a plan that the manager of the job cannot execute, and warns
// of what a move to the other one means. prior is nil for a new job.
func (r *jobResource) checkManager(ctx context.Context, api jobs.API, info jobs.StoreInfo, prior, planned jobModel,
	diags *diag.Diagnostics) {
	p := planned.job()
	at := r.target(r.kind.schema(ctx).Type())
	if p.inLytics() {
		r.session.requireLytics(api, info, at, diags)
		if err := jobSpec(ctx, planned, diags).CheckManager(); err != nil {
			addErrors(diags, at, "let Lytics execute the job", err)
		}
	}
	if diags.HasError() || p.ManagedBy.IsUnknown() {
		return
	}
	var was *jobAttributes
	if prior != nil {
		was = prior.job()
	}
	if was == nil || !was.AuthorizationID.Equal(p.AuthorizationID) || !was.ManagedBy.Equal(p.ManagedBy) {
		checkAuthorization(ctx, api, p, at, diags)
	}
	if i, ok := planned.(*tableImportModel); ok && was != nil && was.inLytics() != p.inLytics() {
		explainMove(ctx, api, i, diags)
	}
}

// requireLytics refuses managed_by = "lytics" without a Lytics account. A store that
// does not exist yet cannot tell; the configuration of an engine in this process can.
func (s *session) requireLytics(api jobs.API, info jobs.StoreInfo, at attributeTarget, diags *diag.Diagnostics) {
	unknown := s == nil || !s.known() || api == nil && s.config.target.Runner != nil
	if unknown || info.Lytics || api == nil && s.config.target.Engine.LyticsAccount() != nil {
		return
	}
	at.add(diags, diag.SeverityError, "managed_by", "There is no Lytics account to manage the object in",
		"managed_by is \"lytics\", and the customer-data side is the embedded one.\n\n"+
			"Configure platform.lytics in the provider block or in the runner's configuration, or set managed_by = \"provider\".")
}

// checkAuthorization refuses a job whose authorization the other side manages. One
// that is not known yet is checked in the apply.
func checkAuthorization(ctx context.Context, api jobs.API, p *jobAttributes, at attributeTarget, diags *diag.Diagnostics) {
	if api == nil || p.AuthorizationID.IsUnknown() {
		return
	}
	a, err := api.Authorization(ctx, p.AuthorizationID.ValueString())
	if err != nil || a.ManagedBy.IsLytics() == p.inLytics() {
		return // the apply reports an authorization that cannot be read
	}
	at.add(diags, diag.SeverityError, "authorization_id", fmt.Sprintf("Authorization %q cannot be used by this job", a.Label),
		fmt.Sprintf("The job is managed by %q, and the authorization by %q: each side has its own credentials.\n\n"+
			"Refer to an authorization with the same managed_by.", p.ManagedBy.ValueString(), managerValue(a.ManagedBy).ValueString()))
}

// explainMove says at plan what a move of an import does to its rows, and refuses one
// from Lytics that does not say where to continue.
func explainMove(ctx context.Context, api jobs.API, p *tableImportModel, diags *diag.Diagnostics) {
	if !p.inLytics() {
		if p.SinceTimestamp.IsNull() {
			diags.AddAttributeError(path.Root("since_timestamp"), "since_timestamp is missing for the move from Lytics",
				"Lytics does not tell up to which row it has imported.\n\nSet since_timestamp to a time up to which all rows have arrived: "+
					"the rows after it are read, again where Lytics has read them.")
			return
		}
		diags.AddAttributeWarning(path.Root("managed_by"), "The import moves from Lytics to this provider",
			"The job is killed in Lytics, for good. This provider reads the rows after since_timestamp; those of them that Lytics has read "+
				"arrive a second time. The id of the job, and the runs that this store knows of, stay.")
		return
	}
	from := "the second of its watermark"
	if api != nil {
		if job, err := api.Job(ctx, p.ID.ValueString()); err == nil && job.LastRun != nil && job.LastRun.Watermark != nil {
			from = "the second of its watermark (now " + job.LastRun.Watermark.UTC().Format(sinceLayout) + ")"
		}
	}
	diags.AddAttributeWarning(path.Root("managed_by"), "The import moves from this provider to Lytics",
		"Lytics continues at "+from+": at most the rows of that second arrive a second time. Rows with an earlier timestamp that are "+
			"committed later are not read. An import that never ran begins at since_timestamp. The id of the job and its runs stay.")
}

// reportMove says after an apply where Lytics continues.
func reportMove(job jobs.Job, diags *diag.Diagnostics) {
	if job.Lytics == nil || job.Lytics.Since == nil {
		return
	}
	diags.AddAttributeWarning(path.Root("managed_by"), "The import moved to Lytics",
		fmt.Sprintf("Lytics job %s continues at %s UTC: at most the rows of that second arrive a second time.", job.Lytics.ID,
			job.Lytics.Since.UTC().Format(sinceLayout)))
}

// limitedPause is the pause before a creation is tried again that was refused because
// of Lytics' limit. Lytics does not say when the next one is possible.
const limitedPause = time.Minute

// withinLimits calls save again while Lytics refuses it because ten integrations were
// created within the hour, until the time limit of the apply.
func withinLimits(ctx context.Context, limit time.Duration, attribute string,
	save func(context.Context) (jobs.Job, error)) (jobs.Job, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, limit, errTimeLimit)
	defer cancel()
	for {
		job, err := save(bounded)
		if !jobs.IsCode(err, jobs.CodeLimited) {
			return job, err
		}
		tflog.Info(ctx, "Lytics allows ten creations an hour; trying again", map[string]any{"pause": limitedPause.String()})
		select {
		case <-bounded.Done():
			e := *toJobsError(err, "save the job")
			e.Attribute = attribute
			e.Next = fmt.Sprintf("Raise %s, which is %s, or apply again later", attribute, limit)
			return job, &e
		case <-time.After(limitedPause):
		}
	}
}
