package terraformtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/page"
)

// example joins the files under examples that match the patterns.
func example(t *testing.T, patterns ...string) string {
	t.Helper()
	var text strings.Builder
	for _, p := range patterns {
		files, err := filepath.Glob(filepath.Join("..", "..", "..", "examples", filepath.FromSlash(p)))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no examples (%v)", p, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			text.Write(b)
			text.WriteString("\n")
		}
	}
	// The harness serves the provider under a name of its own.
	return strings.ReplaceAll(text.String(), `"terraform-provider-lytics/lytics"`, `"hashicorp/lytics"`)
}

// checkApplied checks that an example can be applied, and that a second plan is empty.
func checkApplied(t *testing.T, text string, variables config.Variables) {
	t.Helper()
	runTerraform(t, providertest.New(),
		resource.TestStep{Config: text, ConfigVariables: variables},
		resource.TestStep{Config: text, ConfigVariables: variables, ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
	)
}

// The examples of the documentation can be applied together.
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	text := example(t, "provider/provider.tf", "resources/*/resource.tf", "data-sources/*/data-source.tf", "functions/*/function.tf")
	checkApplied(t, text, config.Variables{"databricks_token": config.StringVariable("t")})
}

// The example of the guide to production can be applied.
func TestTheProductionExample(t *testing.T) {
	t.Parallel()
	checkApplied(t, example(t, "databricks-in-production/main.tf"), config.Variables{"client_secret": config.StringVariable("dose")})
}

// So can the one that the first page of the documentation shows with the provider block.
func TestTheOverviewExample(t *testing.T) {
	t.Parallel()
	checkApplied(t, example(t, "provider/provider.tf", "overview/main.tf"), config.Variables{"databricks_token": config.StringVariable("t")})
}

func TestTheReadmesExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, hcl, _ := strings.Cut(string(text), "```hcl\n")
	hcl, _, found := strings.Cut(hcl, "```")
	if !found {
		t.Fatal("the README has no example")
	}
	hcl = strings.ReplaceAll(hcl, `"terraform-provider-lytics/lytics"`, `"hashicorp/lytics"`)
	checkApplied(t, hcl, config.Variables{"databricks_token": config.StringVariable("t")})
}

var sandboxVariables = config.Variables{
	"host": config.StringVariable("http://127.0.0.1"), "port": config.IntegerVariable(1),
	"http_path": config.StringVariable("/sql/1.0/warehouses/x"), "token": config.StringVariable("t"),
}

// The test framework does not support for_each in state, so these are only
// planned; the acceptance tests apply the quickstart.
func TestRunnableExamples(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"quickstart", "purchases", "kept-updated", "managed-by-lytics", "github-actions"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := providertest.New()
			if name == "kept-updated" {
				env.Variables = map[string]string{"LYTICS_RUNNER_URL": "https://runner.example.com", "LYTICS_RUNNER_TOKEN": "a-token-of-a-runner"}
			}
			variables := sandboxVariables
			if name == "managed-by-lytics" {
				env.Variables = map[string]string{"LYTICS_API_TOKEN": "t"}
				variables = config.Variables{"databricks_token": config.StringVariable("t")}
			}
			resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: env.Factories(), Steps: []resource.TestStep{{
				Config: example(t, name+"/main.tf"), ConfigVariables: variables, PlanOnly: true, ExpectNonEmptyPlan: true,
			}}})
		})
	}
}

// The example that the page of a runner without jobs shows can be planned as it is.
func TestTheExampleOfThePage(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	env.Variables = map[string]string{"LYTICS_RUNNER_TOKEN": "a-token-of-a-runner"}
	text := strings.ReplaceAll(page.ExampleConfig("https://runner.example.com"), `"terraform-provider-lytics/lytics"`, `"hashicorp/lytics"`)
	resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: env.Factories(), Steps: []resource.TestStep{{
		Config: text, ConfigVariables: config.Variables{"databricks_token": config.StringVariable("t")}, PlanOnly: true, ExpectNonEmptyPlan: true,
	}}})
}

// All examples are formatted, including those that need a newer Terraform.
func TestExamplesAreFormatted(t *testing.T) {
	t.Parallel()
	text, err := exec.Command("terraform", "fmt", "-check", "-diff", "-recursive",
		filepath.Join("..", "..", "..", "examples")).CombinedOutput()
	if err != nil {
		t.Fatalf("terraform fmt: %v\n%s", err, text)
	}
}
