package provider

import (
	"fmt"
	"maps"
	"reflect"
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
	// jobs are the definitions of existing jobs after the apply, by id. One that is not known
	// yet is nil.
	jobs map[string]*jobs.JobSpec
	// authorizations are the new ones, by label and destination. Their ids are not known.
	authorizations map[string]jobs.AuthorizationChange
	// unclear is set if the plan creates an authorization that authorizations does not
	// have: one that is not known yet, or a second one with the same label and destination.
	unclear bool
}

// addJob notes the definition that an existing job has after the apply; nil if it is not
// known yet.
func (p *plannedObjects) addJob(id string, spec *jobs.JobSpec) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.jobs == nil {
		p.jobs = map[string]*jobs.JobSpec{}
	}
	p.jobs[id] = spec
}

// job returns the definition that an existing job has after the apply. ok is false if this
// plan does not have the job.
func (p *plannedObjects) job(id string) (spec *jobs.JobSpec, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	spec, ok = p.jobs[id]
	return spec, ok
}

// addAuthorization notes an authorization that the plan creates.
func (p *plannedObjects) addAuthorization(c jobs.AuthorizationChange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := fmt.Sprint(c.Label, c.Destination(), c.HTTPPath)
	if other, ok := p.authorizations[key]; ok && !reflect.DeepEqual(other, c) {
		p.unclear = true
	}
	if p.authorizations == nil {
		p.authorizations = map[string]jobs.AuthorizationChange{}
	}
	p.authorizations[key] = c
}

// addUnclearAuthorization notes that the plan creates an authorization that cannot be
// used before the apply.
func (p *plannedObjects) addUnclearAuthorization() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unclear = true
}

// newAuthorizations are the authorizations that the plan creates. There are none if one
// of them is unclear: a job may refer to that one, and the secret of another authorization
// must not be used for it. Terraform plans an authorization before the jobs that refer to it.
func (p *plannedObjects) newAuthorizations() []jobs.AuthorizationChange {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unclear {
		return nil
	}
	return slices.Collect(maps.Values(p.authorizations))
}

// fieldIDs are the fields that the plan creates or keeps.
func (p *plannedObjects) fieldIDs() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.fields))
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

// warnDoubleCounting warns if a sum or a count is fed from a table whose rows seem
// to be updated: each version of a row is an event, and each event is added. at and
// attribute say where this plan chose it.
func (s *session) warnDoubleCounting(
	i jobs.TableImport,
	mappings []jobs.Mapping,
	at attributeTarget,
	attribute string,
	diags *diag.Diagnostics,
) {
	if !updateColumn.MatchString(i.TimestampColumn) {
		return
	}
	repeated := ""
	if s.config.target.Engine.LyticsAccount() != nil {
		repeated = " Lytics also adds an event again if an upload is repeated because its answer was lost."
	}
	for _, m := range mappings {
		f, ok := s.planned.field(m.Field)
		if !ok || f.MergeOperation != "sum" && f.MergeOperation != "count" {
			continue
		}
		expression := strings.TrimSpace(m.Expression)
		at.add(
			diags,
			diag.SeverityWarning,
			attribute,
			fmt.Sprintf("The %s in field %s may count a row more than once", f.MergeOperation, f.ID),
			paragraphs(
				fmt.Sprintf("The mapping %s of field %s reads stream %s, an import of %s.%s.%s by %s. A row that is updated is a new event, and "+
					"every event is added.%s", expression, f.ID, m.Stream, i.Catalog, i.Database, i.Table, i.TimestampColumn, repeated),
				fmt.Sprintf("If rows are updated, import them by a timestamp that never changes, such as the time a row was created; or keep one "+
					"value per row: a field of type map[string]number with merge_operation = \"latestmap\", and the mapping map(KEY, %s) with the "+
					"column that identifies a row. If rows are only added and never updated, nothing has to change. See the guide \"Counting rows "+
					"that change\".",
					expression)),
		)
	}
}
