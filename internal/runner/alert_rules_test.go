package runner_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/promtest"
)

// example returns the absolute path of an example for runners.
func example(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "examples", "runner", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func readExample(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(example(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// alertNames are the names of the rules in the examples.
func alertNames(t *testing.T) (names []string) {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert string `yaml:"alert"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(readExample(t, "alert-rules.yml"), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			names = append(names, r.Alert)
		}
	}
	return names
}

func TestAlertRulesFireOnMetricsOfARealRunner(t *testing.T) {
	t.Parallel()
	s, good, bad := scrapedSeries(t)
	ofJob := func(j jobs.Job, severity, summary, description string) expected {
		return expected{
			Labels:      map[string]string{"severity": severity, "job_id": j.ID, "name": j.Label},
			Annotations: map[string]string{"summary": summary, "description": strings.ReplaceAll(description, "ID", j.ID)},
		}
	}
	ofRunners := func(labels map[string]string, severity, summary, description string) (all []expected) {
		instances := []string{""}
		if labels == nil {
			labels, instances = map[string]string{"job": "lytics-runner"}, []string{"one:8443", "two:8443"}
		}
		for _, instance := range instances {
			e := expected{Labels: map[string]string{"severity": severity}, Annotations: map[string]string{
				"summary": strings.ReplaceAll(summary, "INSTANCE", instance), "description": description}}
			for k, v := range labels {
				e.Labels[k] = v
			}
			if instance != "" {
				e.Labels["instance"] = instance
			}
			all = append(all, e)
		}
		return all
	}
	store := map[string]string{"job": "lytics-runner"}
	healthy := map[string]float64{"lytics_job_consecutive_failures": 0, "lytics_job_quarantined_rows": 0}
	tests := map[string]struct {
		values map[string]float64
		// at is the time of the evaluation, in minutes.
		at   int
		want []expected
	}{
		"LyticsJobFails": {nil, scrapeTime + 1, []expected{ofJob(bad, "warning", "Job bad fails",
			"Job bad (ID) failed 2 times since its last success. terraform-provider-lytics logs ID shows why.")}},
		// The jobs run every hour, and the last success of one is two hours and a minute old.
		"LyticsJobIsStale": {map[string]float64{
			`lytics_job_last_success_timestamp_seconds{job_id="` + good.ID: 3600,
			`lytics_job_updated_timestamp_seconds{job_id="` + good.ID:      1800,
			`lytics_job_updated_timestamp_seconds{job_id="` + bad.ID:       3660,
		}, 181, []expected{ofJob(good, "critical", "Job good is stale",
			"Job good (ID) has had no success for 2h 1m 0s, more than two intervals of its schedule.")}},
		// The definition of the other one expects a success every two hours.
		"LyticsJobIsLate": {map[string]float64{
			`lytics_job_last_success_timestamp_seconds{job_id="` + good.ID: 10800,
			`lytics_job_updated_timestamp_seconds{job_id="` + good.ID:      1800,
			`lytics_job_updated_timestamp_seconds{job_id="` + bad.ID:       3600,
		}, 181, []expected{ofJob(bad, "critical", "Job bad is late",
			"Job bad (ID) has had no success for 2h 1m 0s, longer than its expected_every.")}},
		"LyticsRowsInQuarantine": {nil, scrapeTime + 20, []expected{ofJob(good, "warning", "Rows of job good are in quarantine",
			"2 rows of job good (ID) were rejected. terraform-provider-lytics quarantine list --job ID shows them with the reasons.")}},
		"LyticsRunnersAreGone": {nil, 12 * 60, ofRunners(map[string]string{}, "critical", "Prometheus reaches no runner",
			"No runner could be scraped for five minutes: no schedule is executed if none is alive.")},
		"LyticsSchedulesAreLate": {map[string]float64{"lytics_store_due_lag_seconds": 600}, scrapeTime + 6,
			ofRunners(store, "critical", "Schedules of lytics-runner are not executed",
				"A schedule has been due for 10m 0s, and no runner planned its run.")},
		"LyticsRunsDoNotStart": {map[string]float64{`lytics_store_runs{status="queued"}`: 3, "lytics_runs_executing": 0}, scrapeTime + 16,
			ofRunners(store, "critical", "Runs of lytics-runner do not start",
				"3 runs have been queued for 15 minutes, and no runner executes any.")},
		"LyticsWorkersAreLost": {map[string]float64{"lytics_workers_lost_total": 2}, scrapeTime + 5,
			ofRunners(nil, "warning", "Runner INSTANCE lost worker processes",
				"A worker process ended during a run within the last hour: often for want of memory (worker_memory_mb).")},
		"LyticsAlertsAreNotDelivered": {map[string]float64{`lytics_alerts_total{result="given_up"}`: 1}, scrapeTime + 5,
			ofRunners(nil, "warning", "Runner INSTANCE gave up an alert", "The receiver at alerts.url accepted no attempt of about a day.")},
		"LyticsJobsWithoutMetrics": {map[string]float64{"lytics_store_jobs_without_metrics": 4}, scrapeTime + 61,
			ofRunners(store, "info", "4 jobs have no metrics",
				"The rules above do not see them. Set metrics.max_jobs of the runners to a larger number.")},
	}
	var all []ruleTest
	var silent []alertTest
	for _, name := range alertNames(t) {
		silent = append(silent, alertTest{EvalTime: fmt.Sprintf("%dm", scrapeTime+30), Name: name, Expected: []expected{}})
		c, ok := tests[name]
		if name == "LyticsStoreFails" {
			continue // its series grows: see below
		}
		if !ok {
			t.Errorf("no test raises the alert %s", name)
			continue
		}
		delete(tests, name)
		all = append(all, ruleTest{Interval: "1m", Input: s.with(t, c.values).input(),
			Alerts: []alertTest{{EvalTime: fmt.Sprintf("%dm", c.at), Name: name, Expected: c.want}}})
	}
	for name := range tests {
		t.Errorf("there is no rule %s", name)
	}
	all = append(all, storeFails(t, s, ofRunners(nil, "critical", "Runner INSTANCE cannot use its store",
		"Reads or writes of the store have failed for ten minutes. The log of the runner says why.")))
	all = append(all, ruleTest{Interval: "1m", Input: s.with(t, healthy).input(), Alerts: silent})
	testRules(t, example(t, "alert-rules.yml"), all)
}

// storeFails is the test of the rule for errors of the store: one more in each minute.
func storeFails(t *testing.T, s series, want []expected) ruleTest {
	t.Helper()
	input := s.input()
	found := false
	for _, in := range input {
		if strings.HasPrefix(in["series"], "lytics_store_errors_total{") {
			in["values"], found = "0+1x200", true
		}
	}
	if !found {
		t.Error("the runner has no metric of errors of the store")
	}
	return ruleTest{Interval: "1m", Input: input, Alerts: []alertTest{{EvalTime: "30m", Name: "LyticsStoreFails", Expected: want}}}
}

func TestConfigurationOfPrometheusIsValid(t *testing.T) {
	t.Parallel()
	promtest.Run(t, "", "check", "config", "--syntax-only", example(t, "prometheus.yml"))
}

// dashboard is what the test reads of a dashboard of Grafana.
type dashboard struct {
	Panels []struct {
		ID      int    `json:"id"`
		Title   string `json:"title"`
		Type    string `json:"type"`
		GridPos struct{ H, W, X, Y int }
		Targets []struct {
			Expr string `json:"expr"`
		} `json:"targets"`
	} `json:"panels"`
	Templating struct {
		List []struct {
			Name, Type, Definition string
		} `json:"list"`
	} `json:"templating"`
}

// variables are the dashboard's, with the values of the test.
var variables = strings.NewReplacer("$__rate_interval", "5m", "$job", "lytics-runner", "$name", ".*")

// labelValues is a query for the values of a variable: a metric, and one of its labels.
var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

func TestEachExpressionOfTheDashboardHasAResult(t *testing.T) {
	t.Parallel()
	var d dashboard
	if err := json.Unmarshal(readExample(t, "grafana-dashboard.json"), &d); err != nil {
		t.Fatal(err)
	}
	// Each expression becomes an alert that fires if the expression has a result.
	type rule struct {
		Alert string `json:"alert"`
		Expr  string `json:"expr"`
	}
	var rules []rule
	var alerts []alertTest
	add := func(name, expr string) {
		name = fmt.Sprintf("%d: %s", len(rules), name)
		rules = append(rules, rule{name, "count(" + variables.Replace(expr) + ") > 0"})
		alerts = append(alerts, alertTest{EvalTime: fmt.Sprintf("%dm", scrapeTime+2), Name: name,
			Expected: []expected{{Labels: map[string]string{}}}})
	}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.ID == 0 || p.Title == "" || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("the panel %q has no title, no id of its own, or no place: %+v", p.Title, p)
		}
		ids[p.ID] = true
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			add(p.Title, target.Expr)
		}
	}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		parts := labelValues.FindStringSubmatch(v.Definition)
		if parts == nil {
			t.Errorf("the variable %s has the query %q", v.Name, v.Definition)
			continue
		}
		metric, label := parts[1], parts[2]
		if begin, ok := strings.CutSuffix(metric, "}"); ok {
			metric = begin + ", "
		} else {
			metric += "{"
		}
		add("variable "+v.Name, metric+label+`!=""}`)
	}
	if len(rules) < 25 {
		t.Fatalf("only %d expressions were found", len(rules))
	}
	s, _, _ := scrapedSeries(t)
	text, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil { // JSON is YAML
		t.Fatal(err)
	}
	testRules(t, file, []ruleTest{{Interval: "1m", Input: s.input(), Alerts: alerts}})
}
