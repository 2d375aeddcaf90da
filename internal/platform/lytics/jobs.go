package lytics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

const jobPath = "/v2/job"

// The workflows of the jobs that Lytics executes, as paths have them.
const (
	WorkflowImport = "databricks-import"
	WorkflowExport = "databricks-export"
)

// creationPatience is how long a creation is tried again after an answer that it is
// asked for too often. The limit lasts an hour, so that longer waits are the
// caller's.
const creationPatience = 3 * time.Second

// AccountJob is a job in the Lytics account.
type AccountJob struct {
	ID, Name, Description string
	Workflow, Status      string
	// SleepUntil is when a job that sleeps works again; nil when Lytics says nothing.
	SleepUntil *time.Time
	AuthIDs    []string
	Created    time.Time
	// Config is the workflow's own part.
	Config map[string]json.RawMessage

	deleted bool
	raw     raw
}

// Is reports whether the job is of a workflow.
func (j AccountJob) Is(workflow string) bool { return sameType(j.Workflow, workflow) }

// Gone reports whether the job was killed: Lytics still answers such a job.
func (j AccountJob) Gone() bool {
	return j.deleted || slices.Contains([]string{"deleted", "deleting", "killed"}, j.Status)
}

// Text is a text of the config; empty when there is none.
func (j AccountJob) Text(key string) string { return raw(j.Config).text(key) }

// Number is a number of the config; 0 when there is none.
func (j AccountJob) Number(key string) int64 {
	var n json.Number
	_ = json.Unmarshal(j.Config[key], &n) // another type counts as none
	i, _ := n.Int64()
	return i
}

// Flag is a truth value of the config.
func (j AccountJob) Flag(key string) bool { return string(j.Config[key]) == "true" }

// List is a list of texts of the config.
func (j AccountJob) List(key string) []string {
	var list []string
	_ = json.Unmarshal(j.Config[key], &list) // another type counts as none
	return list
}

func accountJob(r raw) AccountJob {
	j := AccountJob{
		ID: r.text("id"), Name: r.text("name"), Description: r.text("description"), Workflow: r.text("workflow"), Status: r.text("status"),
		deleted: string(r["deleted"]) == "true", raw: r,
	}
	_ = json.Unmarshal(r["config"], &j.Config)
	_ = json.Unmarshal(r["auth_ids"], &j.AuthIDs)
	j.Created, _ = time.Parse(time.RFC3339, r.text("created"))
	if at, err := time.Parse(time.RFC3339, r.text("sleep_until")); err == nil && at.Year() > 1 {
		at = at.UTC()
		j.SleepUntil = &at
	}
	return j
}

// AccountJob reads a job of the account. A killed job is CodeNotFound.
func (p *Platform) AccountJob(ctx context.Context, id string) (AccountJob, error) {
	c := p.get("Cannot read Lytics job "+id, jobPath+"/"+url.PathEscape(id))
	c.object = [2]string{"Lytics job", id}
	var r raw
	if err := p.checked(ctx, c, &r, func() error { return errors.Join(jobShape.checkID(r, id), checkJob(r)) }); err != nil {
		return AccountJob{}, err
	}
	j := accountJob(r)
	if j.Gone() {
		return AccountJob{}, notFound("Lytics job", id)
	}
	return j, nil
}

// AccountJobs lists the imports and exports of the account that are not killed,
// completed and hidden ones included. The call has no filter by workflow: in which
// form Lytics compares it is not known.
func (p *Platform) AccountJobs(ctx context.Context) ([]AccountJob, error) {
	c := p.get("Cannot list the jobs of the Lytics account", jobPath)
	c.query = url.Values{"show_completed": {"true"}, "show_hidden": {"true"}}
	var all []raw
	// An entry that cannot be read may be the job that is looked for, which must not be
	// created twice.
	if err := p.checked(ctx, c, &all, func() error { return firstError(all, checkJob) }); err != nil {
		return nil, err
	}
	var list []AccountJob
	for _, r := range all {
		if j := accountJob(r); !j.Gone() && (j.Is(WorkflowImport) || j.Is(WorkflowExport)) {
			list = append(list, j)
		}
	}
	return list, nil
}

// JobDefinition is what a job is created or changed with.
type JobDefinition struct {
	Workflow, Name, Description string
	AuthIDs                     []string
	// Config has only the keys that are set. Keys are all that a definition may
	// set: a change removes those of them that Config lacks.
	Config map[string]any
	Keys   []string
}

// CreateAccountJob creates a job and does not start it. It is sent once: Unsure
// and Accepted tell whether a call that failed may have created it. When the account's limit of
// creations is reached, the error has CodeLimited.
func (p *Platform) CreateAccountJob(ctx context.Context, d JobDefinition) (AccountJob, error) {
	summary := fmt.Sprintf("Cannot create job %q in the Lytics account", d.Name)
	c, err := p.send(summary, http.MethodPost, jobPath+"/"+d.Workflow, map[string]any{
		"name": d.Name, "description": d.Description, "auth_ids": d.AuthIDs, "config": d.Config,
	})
	if err != nil {
		return AccountJob{}, err
	}
	c.query, c.patience, c.conflict = url.Values{"run_job": {"false"}}, creationPatience, "label"
	var r raw
	if err := p.checked(ctx, c, &r, func() error { return checkJob(r) }); err != nil {
		return AccountJob{}, limited(err)
	}
	return accountJob(r), nil
}

// keptKeys are the keys of a job that a definition does not have. Lytics resets
// those that a change leaves out; monitoring alone stays.
var keptKeys = []string{
	"quiet_time_of_day", "quiet_timezone", "quiet_period", "drop_events_during_quiet_window", "expires_at",
	"tag", "hidden", "verbose_logging", "meta",
}

// ReplaceAccountJob changes a job that was just read. Everything that the
// definition does not have stays as it was.
func (p *Platform) ReplaceAccountJob(ctx context.Context, was AccountJob, d JobDefinition) (AccountJob, error) {
	body := raw{}
	for _, k := range keptKeys {
		if v, ok := was.raw[k]; ok && string(v) != "null" {
			body[k] = v
		}
	}
	config := raw(maps.Clone(was.Config)).without(d.Keys...)
	if config == nil {
		config = raw{}
	}
	for k, v := range d.Config {
		config.set(k, v)
	}
	body.set("name", d.Name)
	body.set("description", d.Description)
	body.set("auth_ids", d.AuthIDs)
	body.set("config", config)
	summary := fmt.Sprintf("Cannot change job %q in the Lytics account", d.Name)
	c, err := p.send(summary, http.MethodPut, jobPath+"/"+d.Workflow+"/"+url.PathEscape(was.ID), body)
	if err != nil {
		return AccountJob{}, err
	}
	c.repeatable, c.object, c.conflict = true, [2]string{"Lytics job", was.ID}, "label"
	var r raw
	if err := p.checked(ctx, c, &r, func() error { return errors.Join(jobShape.checkID(r, was.ID), checkJob(r)) }); err != nil {
		return AccountJob{}, err
	}
	return accountJob(r), nil
}

// The actions on a job.
const (
	ActionPause  = "pause"
	ActionResume = "resume"
	ActionBounce = "bounce"
	ActionKill   = "kill"
)

// SteerAccountJob pauses, resumes, restarts or kills a job.
func (p *Platform) SteerAccountJob(ctx context.Context, id, action string) error {
	c := p.get(fmt.Sprintf("Cannot %s Lytics job %s", action, id), jobPath+"/"+url.PathEscape(id)+"/"+action)
	c.method, c.object, c.repeatable = http.MethodPost, [2]string{"Lytics job", id}, action != ActionBounce
	_, err := p.do(ctx, c)
	return err
}

// AccountJobLog reads a job's log, oldest entry first.
func (p *Platform) AccountJobLog(ctx context.Context, id string) ([]jobs.LogLine, error) {
	c := p.get("Cannot read the log of Lytics job "+id, jobPath+"/"+url.PathEscape(id)+"/logs")
	c.object = [2]string{"Lytics job", id}
	var entries []raw
	if err := p.checked(ctx, c, &entries, func() error { return logShape.checkAll(entries) }); err != nil {
		return nil, err
	}
	lines := make([]jobs.LogLine, 0, len(entries))
	for _, r := range entries {
		lines = append(lines, logLine(r))
	}
	slices.SortStableFunc(lines, func(a, b jobs.LogLine) int { return a.At.Compare(b.At) })
	return lines, nil
}

func logLine(r raw) jobs.LogLine {
	l := jobs.LogLine{Level: strings.ToLower(r.text("level")), Message: r.text("message")}
	switch {
	case strings.HasPrefix(l.Level, "warn"):
		l.Level = "warn"
	case l.Level != "error":
		l.Level = "info"
	}
	if at, err := time.Parse(time.RFC3339, r.text("timestamp")); err == nil {
		l.At = at.UTC()
	}
	var context map[string]json.RawMessage
	_ = json.Unmarshal(r["context"], &context) // an entry without counts has none
	var counts []string
	for _, k := range []string{"added", "omitted", "removed"} {
		var n json.Number
		if json.Unmarshal(context[k], &n) == nil && n != "" {
			counts = append(counts, k+" "+n.String())
		}
	}
	if len(counts) > 0 {
		l.Message += " (" + strings.Join(counts, ", ") + ")"
	}
	return l
}

// Unsure reports whether the call behind an error may have taken effect.
func Unsure(err error) bool { return isUnsure(err) }

// Accepted reports whether the call behind an error was answered with the status of a
// success: it most likely took effect, and what it made is not known.
func Accepted(err error) bool { return isAccepted(err) }

// Refused reports whether Lytics answered that it does not do what it was asked for.
func Refused(err error) bool {
	return hasStatus(err, http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusMethodNotAllowed)
}

// limited gives the error of a creation that was asked for too often CodeLimited.
func limited(err error) error {
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || !hasStatus(err, http.StatusTooManyRequests) {
		return err
	}
	out := *e
	out.Code = jobs.CodeLimited
	out.Detail = "Lytics answers that it was asked too often (429): an account may create ten integrations an hour. Lytics does not " +
		"say when the next one is possible"
	out.Next = "Apply again later"
	return &out
}
