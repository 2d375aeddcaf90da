package platform_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
)

func TestMapperShowsWhatMappingsMakeOfAnEvent(t *testing.T) {
	t.Parallel()
	fields := []jobs.Field{{ID: "email", Type: "string"}, {ID: "age", Type: "int"}, {ID: "totals", Type: "map[string]number"}}
	mappings := []jobs.Mapping{
		{Stream: "s", Field: "email", Expression: "tolower(mail)"},
		{Stream: "s", Field: "age", Expression: "years"},
		{Stream: "s", Field: "totals", Expression: "map(id, total)", GuardExpression: `kind = "order"`},
		{Stream: "s", Field: "broken", Expression: "tolower("},
		{Stream: "other", Field: "other", Expression: "mail"},
	}
	m := platform.NewMapper("s", mappings, fields)
	for event, want := range map[string]map[string]string{
		`{"mail":"ANN@X.ORG","years":41,"kind":"order","id":"o1","total":1.50}`: {"email": "ann@x.org", "age": "41", "totals": `{"o1":1.5}`},
		`{"mail":null,"years":"many","kind":"visit"}`:                           {},
		`not JSON`: {},
	} {
		if d := cmp.Diff(want, m.Map(event, time.Unix(0, 0))); d != "" {
			t.Errorf("%s (-want +got):\n%s", event, d)
		}
	}
}
