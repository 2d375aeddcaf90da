output "next_import" {
  value = provider::lytics::schedule_next(
    { frequency = "weekly", day_of_week = "monday", time_of_day = "02:30", timezone = "Europe/Berlin" },
    "2026-01-31T12:00:00Z",
  )
}
