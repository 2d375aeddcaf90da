package staging_test

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// checklist 31: RemovePrefix never removes files outside the volume.
func TestVolumePrefixCannotLeaveTheVolume(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"..", "a/../../other", "./a", "/a/..", "a\x00"} {
		_, err := staging.OpenVolume(t.Context(), staging.VolumeConfig{Catalog: "main", Schema: "s", Volume: "v", Prefix: prefix}, databricks.Config{})
		if !jobs.IsCode(err, jobs.CodeInvalid) {
			t.Errorf("prefix %q: %v", prefix, err)
		}
	}
}
