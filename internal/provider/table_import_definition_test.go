package provider_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	tfstate "github.com/hashicorp/terraform-plugin-testing/terraform"
)

// Every attribute goes to the definition and comes back from it.
//
// checklist 47
func TestImportAttributesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	w := newWorld()
	all := importConfig(`
		key_columns       = ["id", "line"]
		exclude_columns   = ["ssn"]
		where             = "country = 'DE'"
		lookback          = "90m"
		null_timestamps   = "include_once"
		future_timestamps = "include"
		batch_size        = 500
		row_limit         = 1000
		scratch_schema    = "main.scratch"
		full_refresh      = "1"`)
	runTerraform(t, w,
		resource.TestStep{
			Config: all,
			Check: func(*tfstate.State) error {
				w.mu.Lock()
				defer w.mu.Unlock()
				for _, j := range w.only().jobs {
					i := j.Import
					if got := fmt.Sprintf("%v %v %s %s %s %s %d %d %s %s", i.KeyColumns, i.ExcludeColumns, i.Where, *i.Lookback, i.NullTimestamps, i.FutureTimestamps, i.BatchSize, i.RowLimit, i.ScratchSchema, i.FullRefresh); got != "[id line] [ssn] country = 'DE' 1h30m0s include_once include 500 1000 main.scratch 1" {
						return fmt.Errorf("defined %s", got)
					}
				}
				return nil
			},
		},
		resource.TestStep{Config: all, ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
		resource.TestStep{ResourceName: importAddress, ImportState: true, ImportStateKind: resource.ImportBlockWithID},
		resource.TestStep{
			Config: importConfig(`lookback = "24h0m0s"`),
			ConfigPlanChecks: plans(action(importAddress, plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(importAddress, at("null_timestamps"), knownvalue.StringExact("skip"))),
		},
		resource.TestStep{Config: importConfig(`lookback = "24h0m0s"`), ConfigPlanChecks: plans(plancheck.ExpectEmptyPlan())},
	)
}

func TestImportIsRefusedAtPlan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ config, want string }{
		"since":     {importConfig(`since_timestamp = "2026-01-31"`), `(?s)since_timestamp cannot be used.*yyyy-mm-dd HH:MM:SS`},
		"lenient":   {importConfig(`since_timestamp = "2026-01-31 1:00:00"`), `since_timestamp cannot be used`},
		"control":   {importConfig(`stream = "a\u0007b"`), `(?s)stream cannot be used.*U\+0007`},
		"empty":     {importConfig(`record_timestamp_column = " "`), `(?s)record_timestamp_column.*empty`},
		"both":      {importConfig("columns = [\"a\"]\nexclude_columns = [\"b\"]"), `(?s)columns.*exclude_columns`},
		"twice":     {importConfig(`key_columns = ["a", "a"]`), `key_columns`},
		"where":     {importConfig(`where = "true) OR (true"`), `(?s)where cannot be used.*closes\s+none`},
		"lookback":  {importConfig(`lookback = "a day"`), `(?s)lookback cannot be used.*24h`},
		"back":      {importConfig(`lookback = "-1h"`), `(?s)lookback cannot be used.*negative`},
		"nulls":     {importConfig(`null_timestamps = "ignore"`), `null_timestamps`},
		"future":    {importConfig(`future_timestamps = "ignore"`), `future_timestamps`},
		"batch":     {importConfig(`batch_size = 0`), `batch_size`},
		"limit":     {importConfig(`row_limit = 0`), `row_limit`},
		"scratch":   {importConfig(`scratch_schema = "scratch"`), `(?s)scratch_schema cannot be used`},
		"timeout":   {importConfig(`query_timeout_minutes = 3000`), `query_timeout_minutes`},
		"frequency": {importConfig(`schedule = { frequency = "yearly" }`), `schedule.frequency`},
		"time":      {importConfig(`schedule = { frequency = "daily", time_of_day = "25:00" }`), `(?s)25:00.*schedule = \{ frequency.*attribute at fault is schedule.time_of_day`},
		"day":       {importConfig(`schedule = { frequency = "daily", day_of_week = "monday" }`), `day_of_week`},
		"zone":      {importConfig(`schedule = { frequency = "daily", timezone = "Mars/Olympus" }`), `Mars/Olympus`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			runTerraform(t, w, resource.TestStep{Config: c.config, PlanOnly: true, ExpectError: regexp.MustCompile(c.want)})
			if w.made != 0 {
				t.Error("a refused plan made a store")
			}
		})
	}
}
