package store

// tables are the tables that Copy copies, each after the tables it references. Ids
// that the database generates are in the column id.
var tables = []string{
	"authorizations", "jobs", "job_versions", "job_after", "released_jobs", "runs", "run_log", "cursors", "cursor_ties", "cursor_sent",
	"streams", "segments", "extents", "fields", "mappings", "audiences",
	"placeholders", "erasure", "erased_identities", "replaced_segments",
	"lytics_sends", "lytics_texts", "lytics_account", "lytics_awaited", "lytics_drafts", "platform_owners", "platform_intents",
	"alerts", "quarantine", "quarantine_removed",
	"tokens", "audit", "encryption_current", "encryption_keys",
}

// sequenced are the tables whose generated ids are never reused, even after the
// store was copied to another database.
var sequenced = []string{"segments", "extents", "erased_identities", "run_log", "quarantine", "audit", "job_versions"}

// derived are the tables that Copy leaves out, because they can be rebuilt from the
// other tables or describe processes. The next build of profiles, for example,
// makes the profiles from the events.
var derived = []string{"store", "instances", "profile_generations", "erased_profiles", "profile_builds", "segment_uploads", "sessions",
	"sign_in_codes"}
