package importer

// EventID gives the id of a row's event. The same row of the same generation
// always has the same id. Identical rows differ by their occurrence, which counts
// from 1. tie is the JSON of the key columns; nil without any.
func EventID(key string, generation int, micros int64, digest string, tie []byte, occurrence int64) string {
	w := newEventIDs(key, generation)
	w.append(micros, []byte(digest), tie, occurrence)
	return w.take()
}
