package platform

// Lag is what a platform that builds profiles some time after it accepted the
// events had not reached when a wait for it ended.
type Lag struct {
	// Events is the number of accepted events that are not counted yet.
	Events int64
	// Note says so, for the log of a run; empty if nothing is missing.
	Note string
}

// ProfileStats describes the profiles after a build.
type ProfileStats struct {
	// Events is the number of events that this build merged.
	Events int64
	// Rebuilt means that all profiles were built from the first event on.
	Rebuilt bool
	// Profiles is the number of profiles.
	Profiles int64
	// Unidentified is the number of events without a value of an identifier. They
	// belong to no profile.
	Unidentified int64
	// Unfit is the number of values that could not be converted to the type of
	// their field and were left out.
	Unfit int64
	// Conflicts is the number of conflicts: groups of joined identities that are
	// too large for one user. Their events belong to no profile. The cause is a
	// placeholder value such as "unknown" in an identifier; the list of placeholders must
	// exclude it.
	Conflicts int64
	// ConflictExample is an identity of the last conflict of this build, as
	// field=value, or only the field's id if the field is PII.
	ConflictExample string
}
