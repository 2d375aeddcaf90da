package runner_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/promtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
)

// series are two scrapes of a runner, as the input of promtool's tests of rules: the
// first one for an hour, and then the second one. The times in them are moved so that
// the second scrape was made after that hour.
type series struct {
	before, after map[string]float64
}

// scrapeTime is the minute in which the values of the second scrape begin.
const scrapeTime = 60

var timeSeries = regexp.MustCompile(`_timestamp_seconds\{|_timestamp_seconds$|^process_start_time_seconds`)

// scrapedSeries runs jobs in a real runner and scrapes it twice.
func scrapedSeries(t *testing.T) (s series, good, bad jobs.Job) {
	t.Helper()
	b := newFixture(t)
	r, good, bad := b.jobsOfEveryKind(runner.Config{Version: "1.2.3"})
	registerWorkers(t, r)
	first := scrapeWith(t, r, fmt.Sprintf(`lytics_job_runs_total{job_id=%q,status="succeeded"} 1`, good.ID),
		fmt.Sprintf(`lytics_job_runs_total{job_id=%q,status="failed"} 1`, bad.ID))
	for _, j := range []jobs.Job{good, bad} {
		if _, err := r.API().StartRun(t.Context(), j.ID, jobs.ReasonManual); err != nil {
			t.Fatal(err)
		}
	}
	second := scrapeWith(t, r, fmt.Sprintf(`lytics_job_runs_total{job_id=%q,status="succeeded"} 2`, good.ID),
		fmt.Sprintf(`lytics_job_runs_total{job_id=%q,status="failed"} 2`, bad.ID))
	move := float64(time.Now().Unix()) - scrapeTime*60
	return series{before: parseScrape(t, first, move), after: parseScrape(t, second, move)}, good, bad
}

func parseScrape(t *testing.T, text string, move float64) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		i := strings.LastIndex(line, " ")
		v, err := strconv.ParseFloat(strings.TrimSpace(line[i+1:]), 64)
		if err != nil {
			t.Fatal(err)
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		name := line[:i]
		if timeSeries.MatchString(name) {
			v -= move
		}
		out[name] = v
	}
	return out
}

// with returns the series with other values from the second scrape on, of all series
// whose names begin with a key. It fails if the runner has no such series.
func (s series) with(t *testing.T, values map[string]float64) series {
	t.Helper()
	out := series{before: s.before, after: maps.Clone(s.after)}
	for begin, v := range values {
		found := false
		for name := range s.after {
			if strings.HasPrefix(name, begin) {
				out.after[name], found = v, true
			}
		}
		if !found {
			t.Errorf("the runner has no metric %s", begin)
		}
	}
	return out
}

// input is a list of input_series, of two runners on one store.
func (s series) input() []map[string]string {
	out := []map[string]string{}
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	for _, name := range slices.Sorted(maps.Keys(s.after)) {
		for _, instance := range []string{"one:8443", "two:8443"} {
			labels := fmt.Sprintf(`job="lytics-runner",instance=%q`, instance)
			full := name + "{" + labels + "}"
			if begin, ok := strings.CutSuffix(name, "}"); ok {
				full = begin + "," + labels + "}"
			}
			before, ok := s.before[name]
			if !ok {
				before = s.after[name]
			}
			out = append(out, map[string]string{"series": full,
				"values": fmt.Sprintf("%s+0x%d %s+0x%d", number(before), scrapeTime-1, number(s.after[name]), 10*60)})
		}
	}
	return out
}

// expected is an alert that a rule raises; none is expected if Labels is nil.
type expected struct {
	Labels      map[string]string `json:"exp_labels,omitempty"`
	Annotations map[string]string `json:"exp_annotations,omitempty"`
}

type alertTest struct {
	EvalTime string     `json:"eval_time"`
	Name     string     `json:"alertname"`
	Expected []expected `json:"exp_alerts"`
}

type ruleTest struct {
	Interval string              `json:"interval"`
	Input    []map[string]string `json:"input_series"`
	Alerts   []alertTest         `json:"alert_rule_test"`
}

// testRules runs promtool's tests of a file with rules.
func testRules(t *testing.T, rules string, tests []ruleTest) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"rule_files": []string{rules}, "evaluation_interval": "1m", "tests": tests})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "test.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil { // JSON is YAML
		t.Fatal(err)
	}
	promtest.Run(t, "", "test", "rules", file)
}
