package lytics

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// The draft of the schema is shared by everybody who works in the account, and a
// publication ships all of it. The store notes what this program writes into the
// draft until it is published. Every other change in the draft is somebody else's.

// draftChange is an unpublished change of the draft.
type draftChange struct {
	kind   string
	object raw
}

func (c draftChange) String() string {
	name := c.object.text("id")
	if c.kind == "mapping" {
		name += " of " + c.object.text("stream") + " to " + c.object.text("field")
	}
	return fmt.Sprintf("%s %s (%s)", c.kind, name, c.object.text("edit_status"))
}

// changes lists the unpublished changes of the draft.
func (s *schemaState) changes() (list []draftChange) {
	for kind, objects := range map[string][]raw{"field": s.fields, "mapping": s.mappings} {
		for _, r := range objects {
			if r.pending() {
				list = append(list, draftChange{kind, r})
			}
		}
	}
	slices.SortFunc(list, func(a, b draftChange) int { return strings.Compare(a.String(), b.String()) })
	return list
}

// changesOf lists the unpublished changes of one object.
func (s *schemaState) changesOf(kind, id string) []draftChange {
	return slices.DeleteFunc(s.changes(), func(c draftChange) bool { return c.kind != kind || c.object.text("id") != id })
}

// refuseOthersDraft fails if one of these changes was not made by this store. A
// change of an object that is about to be deleted does not count: it is not published.
func (p *Platform) refuseOthersDraft(ctx context.Context, c schemaChange, changes []draftChange) error {
	if len(changes) == 0 {
		return nil
	}
	notes, err := p.draftNotes(ctx)
	if err != nil {
		return err
	}
	var others []string
	for _, d := range changes {
		if c.body == nil && d.kind == c.kind && d.object.text("id") == c.id || slices.ContainsFunc(notes, d.isOf) {
			continue
		}
		others = append(others, d.String())
	}
	return refuseDraft(c, others)
}

func refuseDraft(c schemaChange, others []string) error {
	if len(others) == 0 {
		return nil
	}
	return &jobs.Error{
		Code: jobs.CodeConflict, Attribute: c.attribute, Summary: c.summary,
		Detail: "the draft of the account's schema has changes that somebody else made and nobody published, and publishing this change " +
			"would publish them: " + shorten(strings.Join(others, ", ")),
		Next: "Publish or discard the draft in Lytics (Schema), then apply again",
	}
}

// refuseOthersChanges fails if the draft holds more than this change. It is called
// after the change was written and right before it is published, because others may
// have worked on the draft meanwhile.
func (p *Platform) refuseOthersChanges(ctx context.Context, c schemaChange, out raw) error {
	var answer any
	err := p.checked(ctx, p.get(c.summary, schemaPath+"/compare"), &answer, func() error {
		switch answer.(type) {
		case nil, []any, map[string]any:
			return nil
		}
		return errors.New("its data is no comparison")
	})
	if hasStatus(err, http.StatusNotFound, http.StatusMethodNotAllowed) {
		return nil // the draft was read before the change
	}
	if err != nil {
		return err
	}
	id := c.id
	if id == "" {
		id = out.text("id")
	}
	notes, err := p.draftNotes(ctx)
	if err != nil {
		return err
	}
	var others []string
	for _, d := range comparedChanges("object", answer) {
		if d.object.text("id") != id && !slices.ContainsFunc(notes, d.isOf) {
			others = append(others, d.String())
		}
	}
	return refuseDraft(c, others)
}

// comparedChanges finds the objects that have an edit_status in an answer. The facts
// do not say how the lists of such an answer are named.
func comparedChanges(kind string, v any) (list []draftChange) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			list = append(list, comparedChanges(kind, e)...)
		}
	case map[string]any:
		if _, ok := v["edit_status"].(string); ok {
			object := raw{}
			for key, value := range v {
				object.set(key, value)
			}
			if object.pending() {
				list = append(list, draftChange{kind, object})
			}
			return list
		}
		for key, e := range v {
			list = append(list, comparedChanges(strings.TrimSuffix(key, "s"), e)...)
		}
	}
	return list
}

// draftNote is what this store wrote into the draft and did not publish yet.
type draftNote struct {
	kind, id string
	// body is nil for a deletion.
	body raw
}

// isOf reports whether a change of the draft is the one of a note.
func (c draftChange) isOf(n draftNote) bool {
	switch {
	case c.kind != n.kind || n.id != "" && c.object.text("id") != n.id:
		return false
	case n.body == nil:
		return c.object.deleted()
	case c.object.deleted():
		return false
	}
	if c.kind == "mapping" {
		same := func(key string) bool { return platform.SameText(c.object.text(key), n.body.text(key)) }
		return same("stream") && same("field") && same("expr") && same("guard_expr")
	}
	for key, want := range n.body {
		if !sameJSON(c.object[key], want) {
			return false
		}
	}
	// An attribute that the note lacks was added by somebody else, or by Lytics.
	for key, have := range c.object {
		_, noted := n.body[key]
		if !noted && !slices.Contains(serverKeys, key) && key != "mergeop" && key != "keep_duration" && !isEmptyJSON(have) {
			return c.object.text("edit_status") == "new"
		}
	}
	return true
}

// sameJSON compares two values. An attribute that is left out is the same as an empty
// one.
func sameJSON(a, b json.RawMessage) bool {
	return isEmptyJSON(a) && isEmptyJSON(b) || bytes.Equal(compactJSON(a), compactJSON(b))
}

func isEmptyJSON(v json.RawMessage) bool {
	return slices.Contains([]string{"", "null", `""`, "0", "false", "[]", "{}"}, string(compactJSON(v)))
}

func compactJSON(v json.RawMessage) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, v); err != nil {
		return v
	}
	return b.Bytes()
}

// noteDraft notes a change before it is written, and returns the note's key.
func (p *Platform) noteDraft(ctx context.Context, c schemaChange) (key string, err error) {
	id := c.id
	if id == "" {
		id = "new " + store.NewID("draft")
	}
	key = c.kind + "/" + id
	var body []byte
	if c.body != nil {
		if body, err = json.Marshal(c.body); err != nil {
			return "", err
		}
	}
	err = p.db.WriteCommitted(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO lytics_drafts (object, body) VALUES (?, ?)
			ON CONFLICT (object) DO UPDATE SET body = excluded.body`, key, string(body))
		return err
	})
	return key, p.storeError(ctx, "Cannot note a change of the schema", err)
}

// forgetDraft removes the note of a change that is published or undone.
func (p *Platform) forgetDraft(ctx context.Context, key string) error {
	err := p.db.WriteCommitted(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM lytics_drafts WHERE object = ?`, key)
		return err
	})
	return p.storeError(ctx, "Cannot note that a change of the schema is published", err)
}

// draftNotes reads what this store wrote into the draft and did not publish yet.
func (p *Platform) draftNotes(ctx context.Context) ([]draftNote, error) {
	const summary = "Cannot read which changes of the schema are not published"
	rows, err := p.db.Read().QueryContext(ctx, `SELECT object, body FROM lytics_drafts ORDER BY object`)
	if err != nil {
		return nil, p.storeError(ctx, summary, err)
	}
	defer func() { _ = rows.Close() }()
	var list []draftNote
	for rows.Next() {
		var key, body string
		if err := rows.Scan(&key, &body); err != nil {
			return nil, p.storeError(ctx, summary, err)
		}
		var n draftNote
		n.kind, n.id, _ = strings.Cut(key, "/")
		if strings.HasPrefix(n.id, "new ") {
			n.id = ""
		}
		if body != "" {
			if err := json.Unmarshal([]byte(body), &n.body); err != nil {
				return nil, p.storeError(ctx, summary, err)
			}
		}
		list = append(list, n)
	}
	return list, p.storeError(ctx, summary, rows.Err())
}
