package main

import (
	"reflect"
	"testing"

	"github.com/apache/arrow/go/v12/arrow"
)

// The driver's Arrow library computes the zone of a timestamp type that all connections
// share when the zone is first used, without a lock. Package databricks computes it
// before any connection exists, so that make race finds no race in the library. This
// binary has no test fixtures that would compute it too.
func TestTheZoneOfArrowsSharedTimestampIsComputedAtStart(t *testing.T) {
	t.Parallel()
	zone := reflect.ValueOf(arrow.FixedWidthTypes.Timestamp_us).Elem().FieldByName("loc")
	if !zone.IsValid() {
		t.Fatal("arrow keeps no zone in the type: init in internal/databricks/driver.go need not compute it")
	}
	if zone.IsNil() {
		t.Error("got no zone, want the one that package databricks computed")
	}
}
