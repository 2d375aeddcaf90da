package lyticsjobs

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
)

// sinceLayout is the form that Lytics asks for in since_date, in UTC.
const sinceLayout = "2006-01-02 15:04:05"

// The keys of the config that a definition sets. Others stay as they are.
var (
	scheduleKeys = []string{"continuous_update", "run_frequency", "day_of_week", "time_of_day", "timezone"}
	importKeys   = append([]string{
		"catalog", "database", "source", "stream", "timestamp_field", "record_timestamp", "since_date",
		"query_timeout", "batch_size", "row_limit",
	}, scheduleKeys...)
	exportKeys = append([]string{"catalog", "database", "segment_id", "fields"}, scheduleKeys...)
)

// References are the ids in the Lytics account that a definition refers to, and the
// since_date that replaces the definition's.
type References struct {
	AuthID, SegmentID string
	// Since is nil to use the definition's.
	Since *time.Time
}

// Define translates a definition. The definition has passed CheckManager.
func Define(s jobs.JobSpec, r References) lytics.JobDefinition {
	d := lytics.JobDefinition{
		Workflow: lytics.WorkflowImport, Name: s.Label, Description: s.Description, AuthIDs: []string{r.AuthID}, Keys: importKeys,
		Config: map[string]any{"continuous_update": s.Schedule != nil},
	}
	text := func(key, v string) {
		if v != "" {
			d.Config[key] = v
		}
	}
	number := func(key string, v int64) {
		if v != 0 {
			d.Config[key] = v
		}
	}
	if c := s.Schedule; c != nil {
		text("run_frequency", string(c.Frequency))
		text("timezone", cmp.Or(c.Timezone, "UTC"))
		if c.Frequency != jobs.Hourly {
			text("time_of_day", cmp.Or(c.TimeOfDay, "00:00"))
		}
		if c.Frequency == jobs.Weekly {
			text("day_of_week", cmp.Or(c.DayOfWeek, "monday"))
		}
	}
	if i := s.Import; i != nil {
		text("catalog", i.Catalog)
		text("database", i.Database)
		text("source", i.Table)
		text("stream", i.Stream)
		text("timestamp_field", i.TimestampColumn)
		text("record_timestamp", i.RecordTimestampColumn)
		if since := cmp.Or(r.Since, i.Since); since != nil {
			text("since_date", since.UTC().Format(sinceLayout))
		}
		number("query_timeout", int64(s.QueryTimeout/time.Minute))
		number("batch_size", i.BatchSize)
		number("row_limit", i.RowLimit)
		return d
	}
	e := s.Export
	d.Workflow, d.Keys = lytics.WorkflowExport, exportKeys
	text("catalog", e.Catalog)
	text("database", e.Database)
	text("segment_id", r.SegmentID)
	if len(e.Fields) > 0 {
		d.Config["fields"] = e.Fields
	}
	return d
}

// Matches reports whether a job already is as a definition says. Changing it all the
// same might start its work again.
func Matches(j lytics.AccountJob, d lytics.JobDefinition) bool {
	if j.Name != d.Name || j.Description != d.Description || !slices.Equal(j.AuthIDs, d.AuthIDs) {
		return false
	}
	for _, k := range d.Keys {
		text, err := json.Marshal(d.Config[k])
		if err != nil {
			return false
		}
		var have, want any
		_ = json.Unmarshal(j.Config[k], &have) // what is not there is nil
		_ = json.Unmarshal(text, &want)        // it was just written
		if !reflect.DeepEqual(have, want) {
			return false
		}
	}
	return true
}

// Show gives a definition with what Lytics has of it written over it. What was
// changed in Lytics so becomes visible, and what Lytics does not have stays.
func Show(s jobs.JobSpec, r References, j lytics.AccountJob) jobs.JobSpec {
	s.Label, s.Description = j.Name, j.Description
	s.Schedule = showSchedule(s.Schedule, j)
	if s.Import != nil {
		i := *s.Import
		i.Catalog, i.Database, i.Table = j.Text("catalog"), j.Text("database"), j.Text("source")
		i.TimestampColumn, i.RecordTimestampColumn = j.Text("timestamp_field"), j.Text("record_timestamp")
		// A blank stream means this one.
		i.Stream = cmp.Or(j.Text("stream"), "databricks_"+i.Table)
		i.BatchSize, i.RowLimit = j.Number("batch_size"), j.Number("row_limit")
		if since := readSince(j.Text("since_date")); !sameSecond(since, cmp.Or(r.Since, i.Since)) {
			i.Since = since
		}
		s.QueryTimeout = cmp.Or(time.Duration(j.Number("query_timeout"))*time.Minute, jobs.DefaultQueryTimeout)
		s.Import = &i
	}
	if s.Export != nil {
		e := *s.Export
		e.Catalog, e.Database = j.Text("catalog"), j.Text("database")
		if id := j.Text("segment_id"); id != r.SegmentID {
			e.AudienceID = id
		}
		if fields := j.List("fields"); !slices.Equal(fields, e.Fields) {
			e.Fields = fields
		}
		s.Export = &e
	}
	return s
}

func showSchedule(was *jobs.Schedule, j lytics.AccountJob) *jobs.Schedule {
	if !j.Flag("continuous_update") {
		return nil
	}
	c := jobs.Schedule{StartImmediately: true, CatchUp: jobs.CatchUpOne}
	if was != nil {
		c = *was
	}
	differs := func(text, have, otherwise string) bool {
		return !strings.EqualFold(cmp.Or(text, otherwise), cmp.Or(have, otherwise))
	}
	if f := j.Text("run_frequency"); differs(f, string(c.Frequency), "") {
		c.Frequency = jobs.Frequency(f)
	}
	if t := j.Text("time_of_day"); differs(t, c.TimeOfDay, "00:00") {
		c.TimeOfDay = t
	}
	if d := j.Text("day_of_week"); c.Frequency == jobs.Weekly && differs(d, c.DayOfWeek, "monday") {
		c.DayOfWeek = d
	}
	if z := j.Text("timezone"); differs(z, c.Timezone, "UTC") {
		c.Timezone = z
	}
	return &c
}

// Adopt gives the definition of a job that was created elsewhere.
func Adopt(j lytics.AccountJob) jobs.JobSpec {
	s := jobs.JobSpec{ManagedBy: jobs.ManagedByLytics, QueryTimeout: jobs.DefaultQueryTimeout, FailOnError: true}
	if j.Is(lytics.WorkflowExport) {
		s.Export = &jobs.AudienceExport{}
	} else {
		s.Import = &jobs.TableImport{}
	}
	return Show(s, References{}, j)
}

func readSince(text string) *time.Time {
	for _, layout := range []string{sinceLayout, time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			t = t.UTC()
			return &t
		}
	}
	return nil
}

func sameSecond(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Unix() == b.Unix()
}
