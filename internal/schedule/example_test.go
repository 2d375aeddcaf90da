package schedule_test

import (
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/schedule"
)

func ExampleNext() {
	mondays := jobs.Schedule{Frequency: jobs.Weekly, DayOfWeek: "monday", TimeOfDay: "06:30", Timezone: "Europe/Berlin"}
	next, err := schedule.Next(mondays, time.Date(2026, 3, 25, 12, 0, 0, 0, time.UTC))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(next)
	// Output: 2026-03-30 06:30:00 +0200 CEST
}

// 02:30 does not exist in New York on 2026-03-08: the run is an hour later.
func ExampleNext_skippedHour() {
	daily := jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: "02:30", Timezone: "America/New_York"}
	at := time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC)
	for range 3 {
		next, err := schedule.Next(daily, at)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(next)
		at = next
	}
	// Output:
	// 2026-03-07 02:30:00 -0500 EST
	// 2026-03-08 03:30:00 -0400 EDT
	// 2026-03-09 02:30:00 -0400 EDT
}

func ExampleValidate() {
	err := schedule.Validate(jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: "6:30"})
	fmt.Println(err)
	// Output: The time of day "6:30" cannot be read. It has to be HH:MM, from 00:00 to 23:59. Write two digits for the hour and two for the minute, for example "06:30".
}
