package provider

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// plans is what this process has planned of objects that depend on each other.
// Terraform plans what is referred to first, so that a mapping finds its field
// here before either exists.
type plans struct {
	mu       sync.Mutex
	fields   map[string]jobs.Field
	mappings []jobs.Mapping
	imports  map[string]jobs.TableImport
}

func (p *plans) addField(f jobs.Field) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fields == nil {
		p.fields = map[string]jobs.Field{}
	}
	p.fields[f.ID] = f
}

func (p *plans) field(id string) (jobs.Field, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, ok := p.fields[id]
	return f, ok
}

// addMapping gives the import that feeds the mapping's stream, if it is planned
// already.
func (p *plans) addMapping(m jobs.Mapping) (jobs.TableImport, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mappings = append(slices.DeleteFunc(p.mappings, func(o jobs.Mapping) bool {
		return o.Stream == m.Stream && o.Field == m.Field && o.GuardExpression == m.GuardExpression
	}), m)
	i, ok := p.imports[m.Stream]
	return i, ok
}

// addImport gives the mappings of the import's stream that are planned already.
func (p *plans) addImport(i jobs.TableImport) []jobs.Mapping {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.imports == nil {
		p.imports = map[string]jobs.TableImport{}
	}
	p.imports[i.Stream] = i
	return slices.DeleteFunc(slices.Clone(p.mappings), func(m jobs.Mapping) bool { return m.Stream != i.Stream })
}

// planMapping checks a planned mapping against its field, where that is known:
// planned by this process, or in the store.
func (r *mappingResource) planMapping(ctx context.Context, api jobs.API, m jobs.Mapping, t attr.Type, diags *diag.Diagnostics) {
	f, known := r.session.plans.field(m.Field)
	if !known && api != nil {
		stored, err := api.Field(ctx, m.Field)
		f, known = stored, err == nil
	}
	if known && r.deps.ValidateExpressionType != nil {
		if err := r.deps.ValidateExpressionType(m.Expression, f); err != nil {
			addError(diags, place{schema: t}, "use the mapping", err)
			return
		}
	}
	if i, fed := r.session.plans.addMapping(m); fed {
		r.session.warnDoubled(i, []jobs.Mapping{m}, diags)
	}
}

// updates is how columns are named that change when a row is updated.
var updates = regexp.MustCompile(`(?i)updat|modif|chang|_commit`)

// warnDoubled warns where the sum or the count of a Lytics account takes the
// rows of a table whose rows seem to be updated.
func (s *session) warnDoubled(i jobs.TableImport, mappings []jobs.Mapping, diags *diag.Diagnostics) {
	if s.config.target.Engine.LyticsAccount() == nil || !updates.MatchString(i.TimestampColumn) {
		return
	}
	for _, m := range mappings {
		f, ok := s.plans.field(m.Field)
		if !ok || f.MergeOperation != "sum" && f.MergeOperation != "count" {
			continue
		}
		diags.AddWarning(fmt.Sprintf("The %s in field %s may count a row more than once", f.MergeOperation, f.ID), paragraphs(
			fmt.Sprintf("The mapping %s feeds it from stream %s, an import of %s.%s.%s by %s. A row that is updated there is a new event, and Lytics adds every event; "+
				"so it does when an upload is sent again because its answer was lost.", m.Expression, m.Stream, i.Catalog, i.Database, i.Table, i.TimestampColumn),
			fmt.Sprintf("If rows are updated, keep one value for each row: a field of type map[string]number with merge_operation = \"latestmap\", "+
				"and the mapping map(KEY, %s) with the column that identifies a row. If rows are only added, all is well.", strings.TrimSpace(m.Expression))))
	}
}
