package engine_test

import (
	"path/filepath"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// checklist 44 46 47 49 58 59
func TestEngineConforms(t *testing.T) {
	t.Parallel()
	jobstest.Conformance(t, func(t *testing.T, mayExist bool) jobstest.Opener {
		t.Helper()
		dir := t.TempDir()
		if mayExist {
			if err := storetest.Create(filepath.Join(dir, "data")); err != nil {
				t.Fatal(err)
			}
		}
		return func() jobs.API {
			e := engine.New(engine.Options{
				DataDir: filepath.Join(dir, "data"), EncryptionKeyFile: filepath.Join(dir, "keys", "key"), AllowPrivateHosts: true,
				Getenv: func(name string) string { return map[string]string{jobstest.TokenVariable: "dapi-1"}[name] },
			})
			t.Cleanup(func() {
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			})
			return e
		}
	})
}
