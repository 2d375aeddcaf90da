package lyticsjobs_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticsjobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
)

// A creation that Lytics answered with a success is not sent again, whatever the answer is:
// the account may be slow to list the job. One without an answer is, after a search.
func TestAnAcceptedCreationIsNotRepeated(t *testing.T) {
	t.Parallel()
	const job = `{"id":"j1","name":"Orders","workflow":"databricks_import","status":"initializing","config":{}}`
	answer := func(status int, body string) hostiletest.Recording {
		a := hostiletest.OK(body)
		a.Status = status
		return a
	}
	for name, c := range map[string]struct {
		created hostiletest.Recording
		// listed is whether the account lists the job after the creation.
		listed bool
		want   int
	}{
		"no id":            {answer(201, `{"status":201,"data":{"name":"Orders"}}`), false, 1},
		"no id, listed":    {answer(201, `{"status":201,"data":{"name":"Orders"}}`), true, 1},
		"no content":       {hostiletest.Recording{Status: http.StatusNoContent}, false, 1},
		"a page":           {answer(200, `<html><body>Sign in</body></html>`), false, 1},
		"half of it":       {answer(201, `{"status":201,"data":{"id":"j1`), true, 1},
		"an error":         {answer(503, `{"status":503,"message":"later"}`), false, 2},
		"an error, listed": {answer(503, `{"status":503,"message":"later"}`), true, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			creations := 0
			dial := hostiletest.Serve(func(r *http.Request) hostiletest.Recording {
				switch {
				case r.Method == http.MethodPost:
					creations++
					return c.created
				case creations > 0 && c.listed:
					return answer(200, `{"status":200,"data":[`+job+`]}`)
				}
				return answer(200, `{"status":200,"data":[]}`)
			})
			p, err := lytics.Open(lytics.Config{
				Token:  func(context.Context) (jobs.Secret, error) { return jobs.NewSecret("token"), nil },
				APIURL: "http://127.0.0.1:8080", HTTP: &http.Client{Transport: &http.Transport{DialContext: dial}},
			})
			if err != nil {
				t.Fatal(err)
			}
			d := lytics.JobDefinition{Workflow: lytics.WorkflowImport, Name: "Orders"}
			made, err := lyticsjobs.CreateJob(t.Context(), p, d, func(lytics.AccountJob) bool { return false })
			if (err == nil) != c.listed || c.listed && made.ID != "j1" || creations != c.want {
				t.Errorf("%s: %d creations, %+v, %v; want %d", name, creations, made, err, c.want)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
