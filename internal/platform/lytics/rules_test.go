package lytics_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
)

// Lytics refuses a merge operation on an identifier, and fills one in when the
// field is read.
func TestIdentifiersAreWrittenWithoutAMergeOperation(t *testing.T) {
	t.Parallel()
	for _, patches := range []bool{false, true} {
		ctx := t.Context()
		b := open(t, lyticstest.Options{Patches: patches})
		want := jobs.Field{ID: "phones", Type: "[]string", IsIdentifier: true, MergeOperation: "merge"}
		made, err := b.CreateField(ctx, jobs.Field{ID: "phones", Type: "[]string", IsIdentifier: true})
		b.must(nil, err)
		if made != want {
			t.Errorf("created %+v, want %+v", made, want)
		}
		if op := b.server.FieldAttributes("phones")["mergeop"]; op == nil {
			t.Error("the stand-in fills in no merge operation, so this test shows nothing")
		}
		read, err := b.Field(ctx, "phones")
		if err != nil || read != want {
			t.Errorf("read %+v, %v, want %+v", read, err, want)
		}
		want.Description = "of a person"
		changed, err := b.PutField(ctx, want)
		if err != nil || changed != want {
			t.Errorf("changed %+v, %v, want %+v", changed, err, want)
		}
		if wrong := b.server.Wrong(); len(wrong) > 0 {
			t.Errorf("the stand-in complains: %v", wrong)
		}
	}
}

// checklist 68: a taken slug does not fail at Lytics, it gives the new audience
// another slug.
func TestATakenSlugIsAConflict(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := open(t, lyticstest.Options{})
	first, err := b.CreateAudience(ctx, jobs.Audience{Name: "VIP", Filter: "age > 5"})
	b.must(nil, err)
	// Another client takes the slug between the look at it and the creation.
	b.server.Inject(lyticstest.Fault{Method: http.MethodGet, Path: "/v2/segment/vip", Status: 404})
	_, err = b.CreateAudience(ctx, jobs.Audience{Name: "VIP", Filter: "age > 6"})
	refused(t, "create", err, jobs.CodeConflict, "slug", "vip_1", "deleted again")
	all, err := b.Audiences(ctx)
	b.must(nil, err)
	if len(all) != 1 || all[0] != first {
		t.Errorf("the audiences are %+v, want only %+v", all, first)
	}
	other, err := b.CreateAudience(ctx, jobs.Audience{Name: "Other", Filter: "age > 7"})
	b.must(nil, err)
	b.server.Inject(lyticstest.Fault{Method: http.MethodGet, Path: "/v2/segment/vip", Status: 404})
	other.Slug = "vip"
	_, err = b.PutAudience(ctx, other)
	refused(t, "change", err, jobs.CodeInvalid, "filter", "Slug is already used")
}

// checklist 68: a change that Lytics answers with another audience is an error.
func TestAChangeThatAnswersAnotherAudienceStops(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := open(t, lyticstest.Options{})
	a, err := b.CreateAudience(ctx, jobs.Audience{Name: "A", Filter: "age > 5"})
	b.must(nil, err)
	b.reopen(through(func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodPut {
			return http.DefaultTransport.RoundTrip(r)
		}
		body := `{"status":200,"request_id":"r","data":{"id":"00000000000000000000000000000bad","slug_name":"a_2"}}`
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: readCloser(body), Request: r}, nil
	}))
	a.Filter = "age > 6"
	_, err = b.PutAudience(ctx, a)
	refused(t, "change", err, jobs.CodeFailed, "", "another audience", "a_2", a.ID)
}

// The setting tells how an account changes its schema. The list of patches
// answers 200 in every account.
func TestTheSettingDecidesHowTheSchemaChanges(t *testing.T) {
	t.Parallel()
	for _, patches := range []bool{false, true} {
		b := open(t, lyticstest.Options{Patches: patches})
		b.must(b.CreateField(t.Context(), age))
		if list := b.asked(http.MethodGet, "/v2/schema/patch"); len(list) > 0 {
			t.Errorf("patches %t: the list of patches is asked for: %+v", patches, list)
		}
		published := 0
		for _, r := range b.asked(http.MethodPost, "/v2/schema/") {
			if strings.HasSuffix(r.Path, "/publish") {
				published++
			}
		}
		if patches != (published == 0) {
			t.Errorf("patches %t: the draft was published %d times", patches, published)
		}
	}
	b := open(t, lyticstest.Options{})
	b.server.Inject(lyticstest.Fault{Path: "/api/account/setting/", Status: http.StatusForbidden})
	_, err := b.CreateField(t.Context(), age)
	refused(t, "a token without the right", err, jobs.CodeForbidden, "platform.lytics.token", "enable_schema_patches")
}

func TestTheStreamOfAMappingCannotChange(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := open(t, lyticstest.Options{})
	b.must(b.CreateField(ctx, age))
	m, err := b.CreateMapping(ctx, jobs.Mapping{Stream: "s", Field: "age", Expression: "age"})
	b.must(nil, err)
	m.Stream = "t"
	_, err = b.PutMapping(ctx, m)
	refused(t, "change", err, jobs.CodeInvalid, "stream", "stream s", "Delete the mapping")
	if wrong := b.server.Wrong(); len(wrong) > 0 {
		t.Errorf("the stand-in complains: %v", wrong)
	}
}

// A refused token is answered in the form of v1 on v2 paths.
func TestARefusedTokenIsTold(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	b.server.SetToken("another")
	_, err := b.Fields(t.Context())
	refused(t, "read", err, jobs.CodeUnauthorized, "platform.lytics.token", "Not authorized")
}
