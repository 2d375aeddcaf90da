package provider

import (
	"cmp"
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type tableImportModel struct {
	jobAttributes
	Catalog               types.String `tfsdk:"catalog"`
	Database              types.String `tfsdk:"database"`
	Table                 types.String `tfsdk:"table"`
	TimestampColumn       types.String `tfsdk:"timestamp_column"`
	RecordTimestampColumn types.String `tfsdk:"record_timestamp_column"`
	SinceTimestamp        types.String `tfsdk:"since_timestamp"`
	Stream                types.String `tfsdk:"stream"`
	KeyColumns            types.List   `tfsdk:"key_columns"`
	Columns               types.List   `tfsdk:"columns"`
	ExcludeColumns        types.List   `tfsdk:"exclude_columns"`
	Where                 types.String `tfsdk:"where"`
	Lookback              types.String `tfsdk:"lookback"`
	Changes               types.String `tfsdk:"changes"`
	Deletes               types.String `tfsdk:"deletes"`
	NullTimestamps        types.String `tfsdk:"null_timestamps"`
	FutureTimestamps      types.String `tfsdk:"future_timestamps"`
	BatchSize             types.Int64  `tfsdk:"batch_size"`
	RowLimit              types.Int64  `tfsdk:"row_limit"`
	MaxRejected           types.Int64  `tfsdk:"max_rejected"`
	ScratchSchema         types.String `tfsdk:"scratch_schema"`
	FullRefresh           types.String `tfsdk:"full_refresh"`
}

func newTableImportResource() resource.Resource {
	return &jobResource{resourceBase{identity: tableImportIdentity()}, tableImportKind()}
}

func tableImportKind() jobKind {
	return jobKind{
		name: "databricks_table_import", noun: "the table import", kind: jobs.KindTableImport, usage: inImport,
		schema:       tableImportSchema,
		newModel:     func() jobModel { return &tableImportModel{} },
		planComputed: planTableImport,
	}
}

func planTableImport(_ context.Context, _ jobs.API, config, prior, planned jobModel) path.Paths {
	c, _ := config.(*tableImportModel)
	p, _ := planned.(*tableImportModel)
	was, update := prior.(*tableImportModel)
	if !update {
		was = &tableImportModel{}
	}
	stream := types.StringUnknown()
	if !p.Catalog.IsUnknown() && !p.Database.IsUnknown() && !p.Table.IsUnknown() {
		stream = types.StringValue(jobs.DefaultStream(p.Catalog.ValueString(), p.Database.ValueString(), p.Table.ValueString()))
	}
	if update && p.inLytics() { // an adopted job may have another default
		stream = was.Stream
	}
	return planKeyAttribute(&p.Stream, c.Stream, was.Stream, stream, update, "stream")
}

func (m *tableImportModel) addToSpec(ctx context.Context, s *jobs.JobSpec, diags *diag.Diagnostics) {
	s.Import = &jobs.TableImport{
		Catalog:               m.Catalog.ValueString(),
		Database:              m.Database.ValueString(),
		Table:                 m.Table.ValueString(),
		TimestampColumn:       m.TimestampColumn.ValueString(),
		RecordTimestampColumn: m.RecordTimestampColumn.ValueString(),
		Stream:                m.Stream.ValueString(),
		Where:                 m.Where.ValueString(),
		Changes:               jobs.Changes(m.Changes.ValueString()),
		Deletes:               jobs.Deletes(m.Deletes.ValueString()),
		NullTimestamps:        jobs.NullTimestamps(m.NullTimestamps.ValueString()),
		FutureTimestamps:      jobs.FutureTimestamps(m.FutureTimestamps.ValueString()),
		BatchSize:             m.BatchSize.ValueInt64(),
		RowLimit:              m.RowLimit.ValueInt64(),
		MaxRejected:           m.MaxRejected.ValueInt64(),
		ScratchSchema:         m.ScratchSchema.ValueString(),
		FullRefresh:           m.FullRefresh.ValueString(),
	}
	for list, to := range map[*types.List]*[]string{
		&m.KeyColumns: &s.Import.KeyColumns, &m.Columns: &s.Import.Columns, &m.ExcludeColumns: &s.Import.ExcludeColumns,
	} {
		if !list.IsNull() && !list.IsUnknown() {
			diags.Append(list.ElementsAs(ctx, to, false)...)
		}
	}
	if l := m.Lookback; !l.IsNull() && !l.IsUnknown() {
		lookback, err := readLookback(l.ValueString())
		if err != nil {
			addInvalidValue(diags, path.Root("lookback"), err)
		}
		s.Import.Lookback = &lookback
	}
	if s.Import.Stream == "" {
		s.Import.Stream = jobs.DefaultStream(s.Import.Catalog, s.Import.Database, s.Import.Table)
	}
	if m.SinceTimestamp.IsNull() {
		return
	}
	since, err := time.Parse(sinceLayout, m.SinceTimestamp.ValueString())
	if err != nil {
		addInvalidValue(diags, path.Root("since_timestamp"), err)
	}
	s.Import.Since = &since
}

func (m *tableImportModel) setComputed(s jobs.JobSpec) {
	if m.Stream.IsUnknown() && s.Import != nil {
		m.Stream = types.StringValue(s.Import.Stream)
	}
}

func (m *tableImportModel) setFromSpec(ctx context.Context, s jobs.JobSpec, diags *diag.Diagnostics) {
	i := s.Import
	for list, from := range map[*types.List][]string{&m.KeyColumns: i.KeyColumns, &m.Columns: i.Columns, &m.ExcludeColumns: i.ExcludeColumns} {
		*list = types.ListNull(types.StringType)
		if len(from) > 0 {
			shown, d := types.ListValueFrom(ctx, types.StringType, from)
			diags.Append(d...)
			*list = shown
		}
	}
	m.Where, m.ScratchSchema, m.FullRefresh = nullIfEmpty(i.Where), nullIfEmpty(i.ScratchSchema), nullIfEmpty(i.FullRefresh)
	m.Changes = types.StringValue(cmp.Or(string(i.Changes), string(jobs.ChangesAuto)))
	m.Deletes = types.StringValue(cmp.Or(string(i.Deletes), string(jobs.DeletesIgnore)))
	m.NullTimestamps = types.StringValue(cmp.Or(string(i.NullTimestamps), string(jobs.NullSkip)))
	m.FutureTimestamps = types.StringValue(cmp.Or(string(i.FutureTimestamps), string(jobs.FutureDefer)))
	m.BatchSize, m.RowLimit = nullIfZero(i.BatchSize), nullIfZero(i.RowLimit)
	m.MaxRejected = types.Int64Value(i.MaxRejected)
	m.setLookback(i.Lookback)
	m.Catalog = types.StringValue(i.Catalog)
	m.Database = types.StringValue(i.Database)
	m.Table = types.StringValue(i.Table)
	m.TimestampColumn = types.StringValue(i.TimestampColumn)
	m.RecordTimestampColumn = nullIfEmpty(i.RecordTimestampColumn)
	m.Stream = types.StringValue(i.Stream)
	m.SinceTimestamp = types.StringNull()
	if i.Since != nil {
		m.SinceTimestamp = types.StringValue(i.Since.UTC().Format(sinceLayout))
	}
}

// setLookback sets the duration, and keeps the text if it means the same.
func (m *tableImportModel) setLookback(l *time.Duration) {
	if l == nil {
		m.Lookback = types.StringNull()
		return
	}
	m.Lookback = durationValue(m.Lookback, *l)
}
