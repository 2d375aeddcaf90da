package client_test

import (
	"path/filepath"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// checklist 44 46 47 49 58 59
func TestClientOfAnEngineConforms(t *testing.T) {
	t.Parallel()
	jobstest.Conformance(t, func(t *testing.T, mayExist bool) jobstest.Opener {
		t.Helper()
		dir := t.TempDir()
		if mayExist {
			if err := storetest.Create(filepath.Join(dir, "data")); err != nil {
				t.Fatal(err)
			}
		}
		e := engine.New(engine.Options{
			DataDir: filepath.Join(dir, "data"), EncryptionKeyFile: filepath.Join(dir, "keys", "key"), AllowPrivateHosts: true,
			Getenv: func(name string) string { return map[string]string{jobstest.TokenVariable: "dapi-1"}[name] },
		})
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		return func() jobs.API {
			c, _ := serve(t, e)
			return c
		}
	})
}

func TestClientOfTheFakeConforms(t *testing.T) {
	t.Parallel()
	jobstest.Conformance(t, func(t *testing.T, _ bool) jobstest.Opener {
		t.Helper()
		env := jobstest.NewEnvironment()
		runner := env.Open("memory")
		return func() jobs.API {
			c, _ := serve(t, runner)
			return killable{c, env}
		}
	})
}

// killable is a client whose lease ends when Die is called, so that the runner
// counts it as dead at once.
type killable struct {
	*client.Client
	env *jobstest.Environment
}

func (k killable) Die() {
	k.Client.Die()
	k.env.Kill(k.Instance())
}
