package lytics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
)

const warehouseSecret = "canary-warehouse-token"

var authDefinition = lytics.AuthDefinition{
	Label: "w", Host: "dbc-1.cloud.databricks.com", Port: 443, HTTPPath: "/sql/1", Token: jobs.NewSecret(warehouseSecret),
}

func importDefinition(auth string) lytics.JobDefinition {
	return lytics.JobDefinition{
		Workflow: lytics.WorkflowImport, Name: "j", AuthIDs: []string{auth}, Keys: []string{"database", "source", "row_limit"},
		Config: map[string]any{"database": "d", "source": "t"},
	}
}

// An authorization's errors never have its token, whatever Lytics repeats.
func TestAccountAuthorizationsKeepTheirToken(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	d := authDefinition
	d.Host = lyticstest.Unreachable
	_, err := b.CreateAccountAuth(t.Context(), d)
	if !jobs.IsCode(err, jobs.CodeInvalid) || strings.Contains(err.Error(), warehouseSecret) {
		t.Errorf("got %v, want code %s without the token", err, jobs.CodeInvalid)
	}
	made, err := b.CreateAccountAuth(t.Context(), authDefinition)
	if err != nil || !made.Reaches() || !made.Databricks() {
		t.Fatalf("got %+v, %v; want a healthy authorization", made, err)
	}
	if err := b.DeleteAccountAuth(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	err = b.DeleteAccountAuth(t.Context(), made.ID)
	if !jobs.IsCode(err, jobs.CodeNotFound) {
		t.Errorf("got %v, want code %s", err, jobs.CodeNotFound)
	}
}

// An account's job as Lytics answers it, in each form of its types.
func TestAccountJobs(t *testing.T) {
	t.Parallel()
	for _, switches := range []lyticstest.Switches{{}, {UnderscoreSlugs: true}} {
		b := open(t, lyticstest.Options{Switches: switches})
		auth, err := b.CreateAccountAuth(t.Context(), authDefinition)
		if err != nil {
			t.Fatal(err)
		}
		d := importDefinition(auth.ID)
		d.Config["row_limit"] = int64(5)
		made, err := b.CreateAccountJob(t.Context(), d)
		if err != nil || !made.Is(lytics.WorkflowImport) || made.Status != "initializing" || made.Number("row_limit") != 5 {
			t.Fatalf("got %+v, %v; want an import that was not started", made, err)
		}
		// What the definition does not have stays, and what it left out goes.
		b.server.ChangeJob(made.ID, func(attributes, config map[string]any) {
			attributes["tag"], attributes["expires_at"], config["query_timeout"] = "mine", "2030-01-01T00:00:00Z", 7
		})
		was, err := b.AccountJob(t.Context(), made.ID)
		if err != nil {
			t.Fatal(err)
		}
		delete(d.Config, "row_limit")
		if _, err := b.ReplaceAccountJob(t.Context(), was, d); err != nil {
			t.Fatal(err)
		}
		now := b.server.Jobs()[made.ID]
		if config := now["config"].(map[string]any); now["tag"] != "mine" || now["expires_at"] != "2030-01-01T00:00:00Z" ||
			config["query_timeout"] == nil || config["row_limit"] != nil {
			t.Errorf("got %v, want the tag, the end and the time-out kept, and no row limit", now)
		}
		// Of a job that never ran, the stand-in resumes or bounces.
		if err := b.SteerAccountJob(t.Context(), made.ID, lytics.ActionBounce); !lytics.Refused(err) {
			t.Errorf("got %v, want a refusal", err)
		}
		if err := b.SteerAccountJob(t.Context(), made.ID, lytics.ActionResume); err != nil {
			t.Fatal(err)
		}
		wake := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
		b.server.FinishRun(made.ID, "sleeping", wake)
		b.server.AddJobLog(made.ID, "warning", "slow")
		list, err := b.AccountJobs(t.Context())
		if err != nil || len(list) != 1 || list[0].SleepUntil == nil || !list[0].SleepUntil.Equal(wake) {
			t.Errorf("got %+v, %v; want one job that sleeps until %v", list, err, wake)
		}
		log, err := b.AccountJobLog(t.Context(), made.ID)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, l := range log {
			said = append(said, l.Level+" "+l.Message)
		}
		want := []string{"info the work started", "info the work ended as sleeping", "warn slow"}
		if diff := cmp.Diff(want, said); diff != "" {
			t.Errorf("the log (-want +got):\n%s", diff)
		}
		// A killed job is still answered, and counts as gone.
		if err := b.SteerAccountJob(t.Context(), made.ID, lytics.ActionKill); err != nil {
			t.Fatal(err)
		}
		if _, err := b.AccountJob(t.Context(), made.ID); !jobs.IsCode(err, jobs.CodeNotFound) {
			t.Errorf("got %v for a killed job, want code %s", err, jobs.CodeNotFound)
		}
		if list, err := b.AccountJobs(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("got %v, %v; want no job", list, err)
		}
	}
}

// A creation over the limit says so after a short wait: the limit lasts an hour.
func TestACreationOverTheLimitIsCalledLimited(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	auth, err := b.CreateAccountAuth(t.Context(), authDefinition)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := b.CreateAccountJob(t.Context(), importDefinition(auth.ID)); err != nil {
			t.Fatal(err)
		}
	}
	_, err = b.CreateAccountJob(t.Context(), importDefinition(auth.ID))
	if !jobs.IsCode(err, jobs.CodeLimited) || b.clock.Total() > 5*time.Second {
		t.Errorf("got %v after a wait of %s, want code %s within 5s", err, b.clock.Total(), jobs.CodeLimited)
	}
}

// A creation is sent once, and its failure tells whether it may have happened.
func TestACreationIsSentOnce(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	auth, err := b.CreateAccountAuth(t.Context(), authDefinition)
	if err != nil {
		t.Fatal(err)
	}
	b.server.Inject(lyticstest.Fault{Method: "POST", Path: "/v2/job", Cut: true, AfterEffect: true})
	if _, err := b.CreateAccountJob(t.Context(), importDefinition(auth.ID)); !lytics.Unsure(err) || len(b.server.Jobs()) != 1 {
		t.Errorf("got %v and %d jobs, want an unsure error and 1 job", err, len(b.server.Jobs()))
	}
	b.server.Inject(lyticstest.Fault{Method: "POST", Path: "/v2/job", Status: 400})
	if _, err := b.CreateAccountJob(t.Context(), importDefinition(auth.ID)); err == nil || lytics.Unsure(err) {
		t.Errorf("got %v, want a refusal", err)
	}
}
