package embedded

import (
	"testing"
	"time"
)

func TestTimesAreWrittenAsTheirLayoutHasThem(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{
		{}, time.UnixMicro(0), time.UnixMicro(-1), time.UnixMicro(1700000000123456), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 2, 29, 1, 2, 3, 4005000, time.FixedZone("", 3600)),
	} {
		if got, want := string(appendClock(nil, at)), at.UTC().Format(lineClock); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
