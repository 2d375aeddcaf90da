package platform

// ProfileStats describes the profiles after a build.
type ProfileStats struct {
	// Events is how many events this build merged.
	Events int64
	// Rebuilt: all profiles were built from the first event on.
	Rebuilt bool
	// Profiles is how many profiles there are.
	Profiles int64
	// Unidentified is how many events had no value of an identifier, so that
	// they are in no profile.
	Unidentified int64
	// Unfit is how many values did not fit their field and were left out.
	Unfit int64
	// Conflicts is how often more identities were joined than one user has.
	// Their events are in no profile. The cause is a placeholder such as
	// "unknown" in an identifier, which a guard expression must exclude.
	Conflicts int64
	// ConflictExample is an identity of the last conflict of this build, as
	// field=value; of a field that is PII only the field's id.
	ConflictExample string
}
