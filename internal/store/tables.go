package store

// tables are what a store is moved by, each after those it refers to. The
// numbers that a database gives are in the column id.
var tables = []string{
	"authorizations", "jobs", "job_after", "runs", "run_log", "cursors", "cursor_ties", "cursor_sent",
	"streams", "segments", "extents", "fields", "mappings", "audiences",
	"erasure", "erased_identities", "replaced_segments",
	"lytics_sends", "lytics_texts", "lytics_account", "alerts",
}

// numbered are those whose ids are never given twice, wherever the store is.
var numbered = []string{"segments", "extents", "erased_identities", "run_log"}

// derived are made again from the others, or are about processes; they are not
// moved. Profiles are: the next build makes them from the events.
var derived = []string{"store", "instances", "profile_generations", "erased_profiles", "profile_builds", "segment_uploads"}
