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
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// The schema of the table of users.
const (
	schemaPath = "/v2/schema/user"
	patchPath  = "/v2/schema/patch/user"
)

// patchSettingPath is the only proof of how an account changes its schema: the
// list of patches answers 200 in every account.
const patchSettingPath = "/api/account/setting/enable_schema_patches"

// raw is an object of the API with all its keys, known or not.
type raw map[string]json.RawMessage

func (r raw) text(key string) (s string) {
	// A value that is not a string gives the empty text.
	_ = json.Unmarshal(r[key], &s)
	return s
}

func (r raw) set(key string, v any) {
	// Strings, numbers and booleans always encode.
	r[key], _ = json.Marshal(v)
}

// without gives a copy that lacks some keys.
func (r raw) without(keys ...string) raw {
	c := maps.Clone(r)
	for _, k := range keys {
		delete(c, k)
	}
	return c
}

// serverKeys are the keys of a schema object that only Lytics writes.
var serverKeys = []string{"created", "modified", "edit_status", "managed_by"}

// deleted is the edit_status of an object that the next publication removes.
const deleted = "deleted"

func (r raw) deleted() bool { return r.text("edit_status") == deleted }

// pending reports whether the object has a change that is not published.
func (r raw) pending() bool {
	s := r.text("edit_status")
	return s == "new" || s == "modified" || s == deleted
}

// schemaState is the schema as its draft has it.
type schemaState struct {
	fields, mappings []raw
}

func (p *Platform) loadSchema(ctx context.Context, summary string) (*schemaState, error) {
	s := &schemaState{}
	err := p.checked(ctx, p.get(summary, schemaPath+"/field"), &s.fields, func() error { return fieldShape.checkAll(s.fields) })
	if err != nil {
		return nil, err
	}
	return s, p.checked(ctx, p.get(summary, schemaPath+"/mapping"), &s.mappings, func() error { return mappingShape.checkAll(s.mappings) })
}

// field gives the field whose id differs from id at most in case.
func (s *schemaState) field(id string) (raw, bool) {
	i := slices.IndexFunc(s.fields, func(r raw) bool { return !r.deleted() && strings.EqualFold(r.text("id"), id) })
	if i < 0 {
		return nil, false
	}
	return s.fields[i], true
}

// mapping gives the first mapping for which is returns true.
func (s *schemaState) mapping(is func(raw) bool) (raw, bool) {
	i := slices.IndexFunc(s.mappings, func(r raw) bool { return !r.deleted() && is(r) })
	if i < 0 {
		return nil, false
	}
	return s.mappings[i], true
}

// patchMode is whether the account's schema is changed by patches; it is asked
// for once.
type patchMode struct {
	mu         sync.Mutex
	known, use bool
}

func (p *Platform) usesPatches(ctx context.Context, summary string) (bool, error) {
	p.patches.mu.Lock()
	defer p.patches.mu.Unlock()
	if p.patches.known {
		return p.patches.use, nil
	}
	c := p.get(summary, patchSettingPath)
	c.right = "read the setting enable_schema_patches, which tells how the schema is changed"
	var setting struct {
		Value any `json:"value"`
	}
	use := false
	err := p.checked(ctx, c, &setting, func() error {
		// An account that never switched has no value.
		var ok bool
		if use, ok = setting.Value.(bool); !ok && setting.Value != nil {
			return errors.New("the setting is neither true nor false")
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	p.patches.known, p.patches.use = true, use
	return use, nil
}

// schemaChange is one change of the schema.
type schemaChange struct {
	summary   string
	attribute string
	// kind and id are the object's; a new mapping has no id yet.
	kind, id string
	state    *schemaState
	// body is what is written; nil deletes the object.
	body raw
	// kept, if set, compares what Lytics keeps of the object with what was sent,
	// before it is published.
	kept func(out raw) error
}

// tag names the version that a change makes, as Lytics shows it in the history.
func (c schemaChange) tag() string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(c.id))
	verb := "set"
	if c.body == nil {
		verb = "delete"
	}
	return strings.Trim(fmt.Sprintf("terraform-%s-%s-%s", verb, c.kind, name), "-")
}

// changeSchema writes one change and publishes it, and no change of anybody else. The
// caller holds p.schema.
func (p *Platform) changeSchema(ctx context.Context, c schemaChange) (raw, error) {
	patches, err := p.usesPatches(ctx, c.summary)
	if err != nil {
		return nil, err
	}
	if patches {
		// The patch is written over what the draft has of the object.
		if err := p.refuseOthersDraft(ctx, c, c.state.changesOf(c.kind, c.id)); err != nil {
			return nil, err
		}
		return p.changeByPatch(ctx, c)
	}
	if err := p.refuseOthersDraft(ctx, c, c.state.changes()); err != nil {
		return nil, err
	}
	note, err := p.noteDraft(ctx, c)
	if err != nil {
		return nil, err
	}
	out, err := p.write(ctx, c, schemaPath)
	if err == nil && c.kept != nil {
		err = c.kept(out)
	}
	if err == nil {
		err = p.refuseOthersChanges(ctx, c, out)
	}
	if err == nil {
		err = p.publish(ctx, c, schemaPath+"/publish")
	}
	if err != nil {
		p.undo(ctx, c, note, out)
		return nil, err
	}
	return out, p.forgetDraft(ctx, note)
}

// changeByPatch puts the change into a patch of its own and applies that.
func (p *Platform) changeByPatch(ctx context.Context, c schemaChange) (raw, error) {
	open, err := p.send(
		c.summary,
		http.MethodPost,
		patchPath,
		map[string]string{"tag": c.tag(), "description": "Terraform: " + c.summaryDone()},
	)
	if err != nil {
		return nil, err
	}
	open.attribute = c.attribute
	// If the request is repeated, one of the two patches stays empty.
	open.repeatable = true
	var patch raw
	if err := p.checked(ctx, open, &patch, func() error { return patchShape.check(patch) }); err != nil {
		return nil, err
	}
	at := patchPath + "/" + url.PathEscape(patch.text("id"))
	out, err := p.write(ctx, c, at)
	if err == nil && c.kept != nil {
		err = c.kept(out)
	}
	if err == nil {
		err = p.publish(ctx, c, at+"/apply")
	}
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
		defer cancel()
		// The error to report is the first one. A patch that stays changes nothing.
		_, _ = p.do(ctx, call{summary: c.summary, method: http.MethodDelete, base: p.api, path: at, repeatable: true, patience: undoTimeout})
		return nil, err
	}
	return out, nil
}

// write puts the change into the draft, or into the patch at a path.
func (p *Platform) write(ctx context.Context, c schemaChange, at string) (out raw, err error) {
	if c.body == nil {
		request := call{
			summary:    c.summary,
			method:     http.MethodDelete,
			base:       p.api,
			path:       at + "/" + c.kind + "/" + url.PathEscape(c.id),
			repeatable: true,
			object:     [2]string{c.kind, c.id},
		}
		if _, err = p.do(ctx, request); jobs.IsCode(err, jobs.CodeNotFound) {
			// An earlier attempt may have deleted it.
			return nil, nil
		}
		return nil, err
	}
	collection := at + "/" + c.kind
	request, err := p.send(c.summary, http.MethodPost, collection, c.body)
	if err != nil {
		return nil, err
	}
	request.attribute = c.attribute
	// With an id, a repeated request overwrites the object. Without one, it would
	// create a second object.
	request.repeatable = c.id != ""
	check := func() error { return c.checkWritten(out) }
	if c.kind == "mapping" && c.id != "" {
		// The newer source changes a mapping at its own path, the published
		// description by its collection.
		request.path = collection + "/" + url.PathEscape(c.id)
		err := p.checked(ctx, request, &out, check)
		if !hasStatus(err, http.StatusNotFound, http.StatusMethodNotAllowed) {
			return out, err
		}
		request.path = collection
	}
	return out, p.checked(ctx, request, &out, check)
}

// checkWritten checks what Lytics answers to a change. A mapping gets its id from there.
func (c schemaChange) checkWritten(out raw) error {
	switch {
	case c.kind != "mapping":
		return nil
	case c.id != "":
		return mappingShape.checkID(out, c.id)
	}
	return mappingShape.check(out)
}

func (p *Platform) publish(ctx context.Context, c schemaChange, path string) error {
	request, err := p.send(c.summary, http.MethodPost, path, map[string]string{"tag": c.tag(), "description": "Terraform: " + c.summaryDone()})
	if err != nil {
		return err
	}
	request.attribute = c.attribute
	// The same draft published twice is the same schema.
	request.repeatable = true
	_, err = p.do(ctx, request)
	return err
}

// summaryDone describes the change in the history that Lytics shows.
func (c schemaChange) summaryDone() string {
	verb := "set "
	if c.body == nil {
		verb = "deleted "
	}
	return verb + c.kind + " " + c.id
}

// undoTimeout bounds the clean-up after a failure.
const undoTimeout = 15 * time.Second

// undo tries to remove a new, unpublished object from the draft. A change of an
// existing object stays in the draft, with its note: the next apply finds and
// publishes it.
func (p *Platform) undo(ctx context.Context, c schemaChange, note string, written raw) {
	if written.text("edit_status") != "new" || written.text("id") == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	c.id, c.body = written.text("id"), nil
	// The error to report is the one that led here.
	if _, err := p.write(ctx, c, schemaPath); err == nil {
		_ = p.forgetDraft(ctx, note)
	}
}
