package provider

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// plannedObjects holds what this process has planned of objects that depend on
// each other. Terraform plans a referenced object before the object that refers
// to it, so a mapping finds its field here before either exists.
type plannedObjects struct {
	mu       sync.Mutex
	fields   map[string]jobs.Field
	mappings []jobs.Mapping
	imports  map[string]jobs.TableImport
}

func (p *plannedObjects) addField(f jobs.Field) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fields == nil {
		p.fields = map[string]jobs.Field{}
	}
	p.fields[f.ID] = f
}

func (p *plannedObjects) field(id string) (jobs.Field, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, ok := p.fields[id]
	return f, ok
}

// addMapping returns the import that feeds the mapping's stream, if that is
// planned already.
func (p *plannedObjects) addMapping(m jobs.Mapping) (jobs.TableImport, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mappings = append(slices.DeleteFunc(p.mappings, func(o jobs.Mapping) bool {
		return o.Stream == m.Stream && o.Field == m.Field && o.GuardExpression == m.GuardExpression
	}), m)
	i, ok := p.imports[m.Stream]
	return i, ok
}

// addImport returns the mappings of the import's stream that are planned already.
func (p *plannedObjects) addImport(i jobs.TableImport) []jobs.Mapping {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.imports == nil {
		p.imports = map[string]jobs.TableImport{}
	}
	p.imports[i.Stream] = i
	return slices.DeleteFunc(slices.Clone(p.mappings), func(m jobs.Mapping) bool { return m.Stream != i.Stream })
}

// updateColumn matches the usual names of columns that change when a row is
// updated.
var updateColumn = regexp.MustCompile(`(?i)updat|modif|chang|_commit`)

// warnDoubleCounting warns if a sum or count of a Lytics account is fed from a
// table whose rows seem to be updated: Lytics adds every version of the row.
func (s *session) warnDoubleCounting(i jobs.TableImport, mappings []jobs.Mapping, diags *diag.Diagnostics) {
	if s.config.target.Engine.LyticsAccount() == nil || !updateColumn.MatchString(i.TimestampColumn) {
		return
	}
	for _, m := range mappings {
		f, ok := s.planned.field(m.Field)
		if !ok || f.MergeOperation != "sum" && f.MergeOperation != "count" {
			continue
		}
		diags.AddWarning(fmt.Sprintf("The %s in field %s may count a row more than once", f.MergeOperation, f.ID), paragraphs(
			fmt.Sprintf("The mapping %s fills it from stream %s, an import of %s.%s.%s by %s. An updated row is a new event, and "+
				"Lytics adds every event. "+
				"It also adds an event again if an upload is repeated because its answer was lost.", m.Expression, m.Stream, i.Catalog,
				i.Database, i.Table, i.TimestampColumn),
			fmt.Sprintf("If rows are updated, keep one value per row: a field of type map[string]number with merge_operation = \"latestmap\", "+
				"and the mapping map(KEY, %s) with the column that identifies a row. If rows are only added and never updated, nothing "+
				"has to change.", strings.TrimSpace(m.Expression))))
	}
}
