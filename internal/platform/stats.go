package platform

// ProfileStats is what profiles are after a build.
type ProfileStats struct {
	// Events is how many this build took in.
	Events int64
	// Rebuilt tells that all profiles were built from the first event on.
	Rebuilt bool
	// Profiles is how many there are.
	Profiles int64
	// Unidentified is how many events had no value of an identifier, and so
	// belong to nobody.
	Unidentified int64
	// Unfit is how many values did not fit their field and were left out.
	Unfit int64
	// Conflicts is how often more identities were joined than one user has.
	// Their events are in no profile: a placeholder such as "unknown" stands in
	// an identifier, and a guard must keep it out.
	Conflicts int64
	// ConflictExample is an identity at which the last of them was found,
	// field=value, in this build; of a field that is PII only its id.
	ConflictExample string
}
