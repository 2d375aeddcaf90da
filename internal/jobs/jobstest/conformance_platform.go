package jobstest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func judgements(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	ctx := t.Context()
	for attribute, text := range map[string]string{
		"filter": "FILTER AND (EXISTS email)", "expression": "tolower(email)", "guard_expression": `eq(country, "US")`,
	} {
		got, err := a.JudgeDraft(ctx, jobs.Draft{Attribute: attribute, Text: text})
		if d := cmp.Diff(jobs.Judgement{Arbiter: jobs.ArbiterEmbedded}, must(t, attribute, got, err), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: want and got:\n%s", attribute, d)
		}
		got, err = a.JudgeDraft(ctx, jobs.Draft{Attribute: attribute, Text: "contains(email"})
		if got = must(
			t,
			attribute,
			got,
			err,
		); got.Refusal.Code != jobs.CodeInvalid || got.Refusal.Attribute != attribute ||
			got.Refusal.Next == "" {
			t.Errorf("%s: got %+v, want a refusal of %s with a next step", attribute, got, attribute)
		}
	}
	refused(
		t,
		"an attribute without a language",
		errorOf(a.JudgeDraft(ctx, jobs.Draft{Attribute: "stream", Text: "x"})),
		jobs.CodeInvalid,
		"attribute",
	)
	if _, err := a.Store(ctx, false); !jobs.IsCode(err, jobs.CodeStore) {
		t.Errorf("after judgements, the store gives %v, want code %s: none was created", err, jobs.CodeStore)
	}
}

func fieldsAndMappings(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	ctx := t.Context()
	field := jobs.Field{ID: "email", Type: "string", IsIdentifier: true, IsPII: true, MergeOperation: "latest", Description: "é"}
	for _, what := range []string{"created", "created again after a lost answer"} {
		got, err := a.CreateField(ctx, field, "mine")
		if d := cmp.Diff(field, must(t, what, got, err)); d != "" {
			t.Errorf("%s: want and got:\n%s", what, d)
		}
	}
	other := field
	other.Type, other.MergeOperation, other.IsIdentifier = "int", "sum", false
	refused(t, "another definition", errorOf(a.CreateField(ctx, other, "other")), jobs.CodeConflict, "")
	refused(t, "a change of a missing object", errorOf(a.PutField(ctx, jobs.Field{ID: "none", Type: "string"}, "mine")), jobs.CodeNotFound, "")
	field.Description = "changed"
	got, err := a.PutField(ctx, field, "mine")
	if d := cmp.Diff(field, must(t, "changed", got, err)); d != "" {
		t.Errorf("changed: want and got:\n%s", d)
	}

	refused(
		t,
		"a mapping to no field",
		errorOf(a.CreateMapping(ctx, jobs.Mapping{Stream: "s", Field: "none", Expression: "x"}, "mine")),
		jobs.CodeInvalid,
		"field",
	)
	m, err := a.CreateMapping(ctx, jobs.Mapping{Stream: "a/b c", Field: "email", Expression: "email"}, "mine")
	m = must(t, "create mapping", m, err)
	read, err := a.Mapping(ctx, m.ID)
	if d := cmp.Diff(m, must(t, "read mapping", read, err)); d != "" {
		t.Errorf("created, and read:\n%s", d)
	}
	refused(
		t,
		"another expression",
		errorOf(a.CreateMapping(ctx, jobs.Mapping{Stream: "a/b c", Field: "email", Expression: "tolower(email)"}, "other")),
		jobs.CodeConflict,
		"",
	)
	if again, err := a.CreateMapping(
		ctx,
		jobs.Mapping{Stream: "a/b c", Field: "email", Expression: "email"},
		"mine",
	); err != nil ||
		again.ID != m.ID {
		t.Errorf("created again: got %+v, %v; want %s", again, err, m.ID)
	}
	m.Expression = "tolower(email)"
	if changed, err := a.PutMapping(ctx, m, "mine"); err != nil || changed != m {
		t.Errorf("changed: got %+v, %v; want %+v", changed, err, m)
	}

	guarded := jobs.Mapping{Stream: "a/b c", Field: "email", Expression: "email", GuardExpression: `eq(country, "US")`}
	guarded, err = a.CreateMapping(ctx, guarded, "mine")
	guarded = must(t, "create a mapping with a guard", guarded, err)
	all, err := a.Mappings(ctx)
	if d := cmp.Diff([]jobs.Mapping{m, guarded}, must(t, "list the mappings", all, err)); d != "" {
		t.Errorf("all mappings: want and got:\n%s", d)
	}
	if err := a.DeleteMapping(ctx, guarded.ID, "mine"); err != nil {
		t.Error(err)
	}

	refused(t, "a field that a mapping feeds", a.DeleteField(ctx, "email", "mine"), jobs.CodeInUse, "")
	for _, err := range []error{a.DeleteMapping(ctx, m.ID, "mine"), a.DeleteField(ctx, "email", "mine")} {
		if err != nil {
			t.Error(err)
		}
	}
	refused(t, "a deleted mapping", errorOf(a.Mapping(ctx, m.ID)), jobs.CodeNotFound, "")
	refused(t, "a deleted field", errorOf(a.Field(ctx, "email")), jobs.CodeNotFound, "")
}

func audiences(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	ctx := t.Context()
	if _, err := a.CreateField(
		ctx,
		jobs.Field{ID: "email", Type: "string", IsIdentifier: true, MergeOperation: "latest"},
		"mine",
	); err != nil {
		t.Fatal(err)
	}
	made, err := a.CreateAudience(ctx, jobs.Audience{Name: "All", Slug: "all", Filter: "FILTER AND (EXISTS email)"}, "mine")
	made = must(t, "create", made, err)
	for _, name := range []string{made.ID, "all"} {
		if got, err := a.Audience(ctx, name); err != nil || got != made {
			t.Errorf("read by %s: got %+v, %v; want %+v", name, got, err, made)
		}
	}
	refused(
		t,
		"another definition of the slug",
		errorOf(a.CreateAudience(ctx, jobs.Audience{Name: "Other", Slug: "all", Filter: "FILTER EXISTS email"}, "other")),
		jobs.CodeConflict,
		"",
	)
	refused(
		t,
		"a change of a missing object",
		errorOf(a.PutAudience(ctx, jobs.Audience{ID: "none", Name: "N", Slug: "n", Filter: "FILTER EXISTS email"}, "other")),
		jobs.CodeNotFound,
		"",
	)
	made.Description = "changed"
	if got, err := a.PutAudience(ctx, made, "mine"); err != nil || got != made {
		t.Errorf("changed: got %+v, %v; want %+v", got, err, made)
	}
	if n, err := a.AudienceSize(ctx, "all"); err != nil || n != 0 {
		t.Errorf("size: got %d, %v; want 0", n, err)
	}
	columns, rows, err := a.Scan(ctx, "all", nil)
	if err != nil || len(columns) != 1 || columns[0].ID != "email" {
		t.Fatalf("columns: got %+v, %v; want email", columns, err)
	}
	for row, err := range rows {
		t.Errorf("a row of an audience without profiles: %v, %v", row, err)
	}
	if _, _, err := a.Scan(ctx, "all", []string{"mail"}); err == nil {
		t.Error("a scan of a field that does not exist gave no error")
	}
	refused(t, "no such profile", errorOf(a.Profile(ctx, jobs.Identity{Field: "email", Value: "a@b"})), jobs.CodeNotFound, "")
	refused(t, "no such identifier", errorOf(a.Profile(ctx, jobs.Identity{Field: "name", Value: "a"})), jobs.CodeInvalid, "")

	export, err := a.CreateJob(ctx, jobs.JobSpec{
		Label:           "all",
		AuthorizationID: authorize(t, a, "warehouse").ID,
		Export:          &jobs.AudienceExport{AudienceID: "all", Catalog: "main", Database: "sales"},
	})
	if err != nil || export.Export.TableName != "lytics_user_all" {
		t.Fatalf("export: got %+v, %v; want the table lytics_user_all", export.Export, err)
	}
	refused(t, "an audience that is exported", a.DeleteAudience(ctx, made.ID, "mine"), jobs.CodeInUse, "")
	for _, err := range []error{a.DeleteJob(ctx, export.ID), a.DeleteAudience(ctx, made.ID, "mine")} {
		if err != nil {
			t.Error(err)
		}
	}
	refused(t, "deleted", errorOf(a.Audience(ctx, made.ID)), jobs.CodeNotFound, "")
}

// erasure is that of a platform which keeps its data in the store.
func erasure(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	ctx := t.Context()
	if _, err := a.CreateField(
		ctx,
		jobs.Field{ID: "email", Type: "string", IsIdentifier: true, MergeOperation: "latest"},
		"mine",
	); err != nil {
		t.Fatal(err)
	}
	ann := jobs.Identity{Field: "email", Value: "ann@example.com"}
	for _, dryRun := range []bool{true, false} {
		want := jobs.Erasure{Identities: []jobs.Identity{ann}, Streams: []jobs.ErasedEvents{}, Done: !dryRun}
		got, err := a.Erase(ctx, jobs.ErasureRequest{Identity: ann, DryRun: dryRun})
		if d := cmp.Diff(want, must(t, "erase", got, err)); d != "" {
			t.Errorf("dry run %t: want and got:\n%s", dryRun, d)
		}
	}
	refused(
		t,
		"conflicts",
		errorOf(a.Erase(ctx, jobs.ErasureRequest{Identity: ann, DryRun: true, Conflicts: true})),
		jobs.CodeInvalid,
		"conflicts",
	)
	refused(t, "a request of another platform", errorOf(a.ErasureDone(ctx, "req")), jobs.CodeInvalid, "request")
}
