package client_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
)

// A client starts a run of a job on a runner, and follows it to its end.
func Example() {
	runnerToken := jobs.NewSecret("a-token-of-the-runner")
	product := jobstest.New()
	product.Environment().RunsAdvanceOnRead = true
	runner := httptest.NewServer(api.New(api.Config{API: product, Token: runnerToken, FollowEvery: 1}).Handler())
	defer runner.Close()

	c, err := client.New(client.Config{URL: runner.URL, Token: runnerToken})
	if err != nil {
		panic(err)
	}
	defer func() { _ = c.Close() }()
	ctx := context.Background()
	warehouseToken := jobs.NewSecret("dapi-1")
	auth, err := c.CreateAuthorization(ctx, jobs.AuthorizationChange{Token: &warehouseToken, AuthorizationSpec: jobs.AuthorizationSpec{
		Label: "warehouse", Host: "dbc-1.cloud.databricks.com", Port: 443, HTTPPath: "/sql/1.0/warehouses/a",
	}})
	if err != nil {
		panic(err)
	}
	job, err := c.CreateJob(ctx, jobs.JobSpec{Label: "customers", AuthorizationID: auth.ID, QueryTimeout: jobs.DefaultQueryTimeout, Import: &jobs.TableImport{
		Catalog: "main", Database: "sales", Table: "customers", TimestampColumn: "updated_at",
	}})
	if err != nil {
		panic(err)
	}
	run, err := c.StartRun(ctx, job.ID, jobs.ReasonManual)
	if err != nil {
		panic(err)
	}
	run, err = c.WaitRun(ctx, run.ID, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(run.Status, run.RowsWritten, "rows into", job.Import.Stream)
	// Output: succeeded 100 rows into databricks_main_sales_customers
}

// Local finds the runner of a data directory. Without one, it returns nil and
// no error.
func ExampleLocal() {
	c, err := client.Local(context.Background(), "/no/such/data-directory", "1.2.3")
	fmt.Println(c == nil, err)
	// Output: true <nil>
}
