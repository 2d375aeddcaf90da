//nolint:thelper // what is given to onEach are the bodies of tests
package lytics_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
)

var age = jobs.Field{ID: "age", Type: "int", MergeOperation: "max"}

func TestAChangeOfTheSchemaIsPublished(t *testing.T) {
	t.Parallel()
	for _, patches := range []bool{false, true} {
		b := open(t, lyticstest.Options{Patches: patches})
		b.must(b.CreateField(t.Context(), age))
		m, err := b.CreateMapping(t.Context(), jobs.Mapping{Stream: "s", Field: "age", Expression: "age"})
		b.must(nil, err)
		if err := b.DeleteMapping(t.Context(), m.ID); err != nil {
			t.Fatal(err)
		}
		if err := b.DeleteField(t.Context(), "age"); err != nil {
			t.Fatal(err)
		}
		if n := len(b.server.Versions()); n != 4 || b.server.Patches() != 0 || b.server.FieldAttributes("age") != nil {
			t.Errorf("patches %t: %d versions %v, %d patches are open", patches, n, b.server.Versions(), b.server.Patches())
		}
		if wrong := b.server.Wrong(); len(wrong) > 0 {
			t.Errorf("not as documented: %v", wrong)
		}
		// A refused create publishes nothing.
		b.must(b.CreateField(t.Context(), age))
		_, err = b.CreateField(t.Context(), age)
		refused(t, "the same again", err, jobs.CodeConflict, "id", "import {")
		if n := len(b.server.Versions()); n != 5 {
			t.Errorf("%d versions", n)
		}
	}
}

// What somebody else has in the draft is not published by us.
func TestAForeignDraftIsLeftAlone(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := open(t, lyticstest.Options{})
	b.must(b.CreateField(ctx, age))
	b.server.Draft("half_done", map[string]any{"type": "string"})
	_, err := b.CreateField(ctx, jobs.Field{ID: "city", Type: "string"})
	refused(t, "create", err, jobs.CodeConflict, "", "half_done", "Publish or discard")
	_, err = b.PutField(ctx, jobs.Field{ID: "age", Type: "int"})
	refused(t, "change", err, jobs.CodeConflict, "", "half_done")
	refused(t, "delete", b.DeleteField(ctx, "age"), jobs.CodeConflict, "", "half_done")
	_, err = b.CreateMapping(ctx, jobs.Mapping{Stream: "s", Field: "age", Expression: "age"})
	refused(t, "mapping", err, jobs.CodeConflict, "expression", "half_done")
	if n := len(b.server.Versions()); n != 1 {
		t.Errorf("%d versions", n)
	}
	// Reading is fine, and a patch holds only what is its own.
	b.must(b.Field(ctx, "age"))
	b = open(t, lyticstest.Options{Patches: true})
	b.server.Draft("half_done", map[string]any{"type": "string"})
	b.must(b.CreateField(ctx, age))
	if b.server.FieldAttributes("half_done") != nil {
		t.Error("the patch published the draft")
	}
}

// What was set at Lytics's own pages, and is not declared here, stays.
func TestAChangeKeepsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, patches := range []bool{false, true} {
		b := open(t, lyticstest.Options{Patches: patches})
		b.must(b.CreateField(ctx, age))
		f := b.server.FieldAttributes("age")
		b.server.Edit("age", map[string]any{"type": f["type"], "mergeop": "max", "longdesc": "of a person", "tags": []string{"x"}, "keep_duration": "7d"})
		b.must(b.PutField(ctx, jobs.Field{ID: "age", Type: "int", MergeOperation: "min", Description: "years"}))
		f = b.server.FieldAttributes("age")
		if f["longdesc"] != "of a person" || fmt.Sprint(f["tags"]) != "[x]" || f["mergeop"] != "min" || f["shortdesc"] != "years" || f["keep_duration"] != nil {
			t.Errorf("the field is %v", f)
		}
		a, err := b.CreateAudience(ctx, jobs.Audience{Name: "A", Filter: "age > 5"})
		b.must(nil, err)
		b.server.MarkSegment(a.ID, "tags", `["vip"]`)
		b.server.MarkSegment(a.ID, "is_public", `true`)
		a.Filter = "age > 6"
		b.must(b.PutAudience(ctx, a))
		if b.server.SegmentMark(a.ID, "tags") != `["vip"]` || b.server.SegmentMark(a.ID, "is_public") != `true` {
			t.Errorf("the segment lost its marks")
		}
	}
}

// Creates are not simply sent again: what may be there is looked for, and
// adopted.
func TestAnUnsureCreateMakesOneObject(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]lyticstest.Fault{
		"503 after": {Status: 503, AfterEffect: true}, "503 before": {Status: 503}, "cut after": {Cut: true, AfterEffect: true}, "garbled": {Garble: true},
		"429": {Status: 429},
	} {
		for _, path := range []string{"/v2/segment", "/v2/schema/user/mapping", "/v2/schema/user/field", "/v2/schema/user/publish"} {
			t.Run(name+" "+path, func(t *testing.T) {
				t.Parallel()
				ctx := t.Context()
				b := open(t, lyticstest.Options{})
				hit := f
				hit.Method, hit.Path = http.MethodPost, path
				b.server.Inject(hit)
				b.must(b.CreateField(ctx, age))
				b.must(b.CreateMapping(ctx, jobs.Mapping{Stream: "s", Field: "age", Expression: "age"}))
				a, err := b.CreateAudience(ctx, jobs.Audience{Name: "A", Description: "d", Filter: "age > 5"})
				b.must(nil, err)
				mappings, err := b.Mappings(ctx)
				b.must(nil, err)
				audiences, err := b.Audiences(ctx)
				b.must(nil, err)
				if len(mappings) != 1 || mappings[0].Expression != "age" || len(audiences) != 1 || audiences[0] != a || a.Filter != "age > 5" {
					t.Errorf("there are %+v and %+v", mappings, audiences)
				}
				if n := len(b.server.Versions()); n < 2 {
					t.Errorf("%d versions", n)
				}
			})
		}
	}
}

// A publication that fails leaves nothing in the draft that would be in the way.
func TestAFailedPublicationIsUndone(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, patches := range []bool{false, true} {
		b := open(t, lyticstest.Options{Patches: patches})
		b.must(b.CreateField(ctx, jobs.Field{ID: "first", Type: "string"}))
		f := lyticstest.Fault{Method: http.MethodPost, Path: "/v2/schema/user/publish", Status: 400}
		if patches {
			f.Path, f.Skip = "/v2/schema/patch/user/", 1
		}
		b.server.Inject(f)
		_, err := b.CreateField(ctx, age)
		refused(t, "publish", err, jobs.CodeInvalid, "", "as asked for")
		if n := b.server.Patches(); n != 0 {
			t.Errorf("%d patches are open", n)
		}
		_, err = b.Field(ctx, "age")
		refused(t, "read", err, jobs.CodeNotFound, "")
		b.must(b.CreateField(ctx, jobs.Field{ID: "second", Type: "string"}))
		b.must(b.CreateField(ctx, age))
	}
}

// An apply that died between the change and its publication is finished by the next,
// and its change does not stop the others. checklist 67
func TestAnUnpublishedChangeIsPublishedLater(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := open(t, lyticstest.Options{})
	b.must(b.CreateField(ctx, age))
	// Nothing is published, and nothing can be undone.
	dies := func() {
		b.server.Inject(lyticstest.Fault{Method: http.MethodPost, Path: "/v2/schema/user/publish", Status: 400})
		b.server.Inject(lyticstest.Fault{Method: http.MethodDelete, Path: "/v2/schema/user/", Status: 400})
	}
	city := jobs.Field{ID: "city", Type: "string", MergeOperation: "latest"}
	dies()
	_, err := b.CreateField(ctx, city)
	refused(t, "create", err, jobs.CodeInvalid, "")
	if b.server.FieldAttributes("city") != nil {
		t.Fatal("it is published")
	}
	b.reopen()
	b.must(b.PutField(ctx, jobs.Field{ID: "age", Type: "int", MergeOperation: "min"}))
	if b.server.FieldAttributes("city") == nil {
		t.Error("the field is not published with the next change")
	}
	b.must(b.CreateMapping(ctx, jobs.Mapping{Stream: "s", Field: "city", Expression: "city"}))
	b.server.Inject(lyticstest.Fault{Method: http.MethodPost, Path: "/v2/schema/user/publish", Status: 400})
	refused(t, "delete", b.DeleteField(ctx, "age"), jobs.CodeInvalid, "")
	b.reopen()
	if err := b.DeleteField(ctx, "age"); err != nil {
		t.Fatal(err)
	}
	if b.server.FieldAttributes("age") != nil {
		t.Error("its removal is not published")
	}
}

// A colleague's unpublished change of the same object is not published by us, in
// either mode; what is deleted anyway does not matter.
func TestAForeignDraftOfTheSameObjectIsLeftAlone(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, patches := range []bool{false, true} {
		b := open(t, lyticstest.Options{Patches: patches})
		b.must(b.CreateField(ctx, age))
		b.server.Draft("age", map[string]any{"type": "int", "mergeop": "max", "longdesc": "half done"})
		_, err := b.PutField(ctx, jobs.Field{ID: "age", Type: "int", MergeOperation: "min"})
		refused(t, "change", err, jobs.CodeConflict, "", "field age (modified)", "Publish or discard")
		if f := b.server.FieldAttributes("age"); f["longdesc"] != nil || f["mergeop"] != "max" {
			t.Errorf("patches %t: the field is %v", patches, f)
		}
		if err := b.DeleteField(ctx, "age"); err != nil {
			t.Errorf("patches %t: delete: %v", patches, err)
		}
	}
}

// What a colleague changes while our change is written is seen before it is
// published.
func TestAForeignDraftIsSeenRightBeforeThePublication(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := open(t, lyticstest.Options{})
	b.must(b.CreateField(ctx, age))
	api, err := url.Parse(b.server.APIURL)
	b.must(nil, err)
	b.reopen(through(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/field") {
			b.server.Draft("half_done", map[string]any{"type": "string"})
		}
		r.URL.Host = api.Host
		return http.DefaultTransport.RoundTrip(r)
	}))
	_, err = b.CreateField(ctx, jobs.Field{ID: "city", Type: "string"})
	refused(t, "create", err, jobs.CodeConflict, "", "half_done", "Publish or discard")
	if n := len(b.server.Versions()); n != 1 {
		t.Errorf("%d versions are published, want 1", n)
	}
	_, err = b.Field(ctx, "city")
	refused(t, "the field afterwards", err, jobs.CodeNotFound, "")
}

// checklist 68: what Lytics keeps of a field is compared before it is published.
func TestAFieldThatLyticsKeepsInAnotherWayIsAnError(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := open(t, lyticstest.Options{})
	b.reopen(through(func(r *http.Request) (*http.Response, error) {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil || r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/field") {
			return resp, err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body = readCloser(strings.Replace(string(body), `"mergeop":"max"`, `"mergeop":"latest"`, 1))
		resp.ContentLength = -1
		resp.Header.Del("Content-Length")
		return resp, err
	}))
	_, err := b.CreateField(ctx, age)
	refused(t, "create", err, jobs.CodeFailed, "", "another field", "Nothing was published")
	if n := len(b.server.Versions()); n != 0 {
		t.Errorf("%d versions are published, want none", n)
	}
	_, err = b.Field(ctx, "age")
	refused(t, "the field afterwards", err, jobs.CodeNotFound, "")
}

func TestManyChangesAtOnce(t *testing.T) {
	t.Parallel()
	for _, patches := range []bool{false, true} {
		b := open(t, lyticstest.Options{Patches: patches})
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				f := jobs.Field{ID: fmt.Sprintf("f%d", i), Type: "string"}
				if _, err := b.CreateField(t.Context(), f); err != nil {
					t.Errorf("field: %v", err)
				}
				if _, err := b.CreateMapping(t.Context(), jobs.Mapping{Stream: "s", Field: f.ID, Expression: "x"}); err != nil {
					t.Errorf("mapping: %v", err)
				}
				if _, err := b.CreateAudience(t.Context(), jobs.Audience{Name: f.ID, Filter: "EXISTS " + f.ID}); err != nil {
					t.Errorf("audience: %v", err)
				}
			})
		}
		wg.Wait()
		mappings, err := b.Mappings(t.Context())
		b.must(nil, err)
		if len(mappings) != 10 || len(b.server.Versions()) != 20 {
			t.Errorf("%d mappings, %d versions", len(mappings), len(b.server.Versions()))
		}
	}
}

func TestLyticsValidatesFilters(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	b.server.Inject(lyticstest.Fault{Path: "/api/segment/validate", Status: 400})
	_, err := b.CreateAudience(t.Context(), jobs.Audience{Name: "A", Filter: "age > 5"})
	refused(t, "validate", err, jobs.CodeInvalid, "filter", "as asked for")
	b.must(b.CreateAudience(t.Context(), jobs.Audience{Name: "A", Filter: "age > 5"}))
	if n := len(b.asked(http.MethodPost, "/api/segment/validate")); n != 2 {
		t.Errorf("%d validations", n)
	}
	for _, r := range b.asked("", "/api/segment/size") {
		t.Errorf("a size is asked for by the call that is limited: %+v", r)
	}
}

// An audience that includes the slug that it has until now, and gives it up.
func TestACircleByTheSlugOfBefore(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	a, err := b.CreateAudience(t.Context(), jobs.Audience{Name: "Old", Filter: "age > 5"})
	b.must(nil, err)
	_, err = b.PutAudience(t.Context(), jobs.Audience{ID: a.ID, Name: "New", Filter: "NOT INCLUDE old"})
	refused(t, "circle", err, jobs.CodeInvalid, "filter", "include one another")
}

// A new store does not know how a filter was declared, and reads what Lytics has. It
// does not adopt the audience of the same definition. checklist 67
func TestAnotherStoreDoesNotAdoptTheSameAudience(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
		ctx := t.Context()
		first, err := b.CreateAudience(ctx, jobs.Audience{Name: "A", Filter: `AND (age > 5,  name = "a  b")`})
		b.must(nil, err)
		other := open(t, lyticstest.Options{})
		other.server = b.server
		other.reopen()
		read, err := other.Audience(ctx, "a")
		b.must(nil, err)
		if read.ID != first.ID || !strings.Contains(read.Filter, "ALIAS a") {
			t.Errorf("read %+v", read)
		}
		_, err = other.CreateAudience(ctx, jobs.Audience{Name: "A", Filter: `FILTER AND (age > 5, name = "a  b")`})
		refused(t, "the same definition", err, jobs.CodeConflict, "slug", first.ID, "to = lytics_audience.NAME")
	})
}
