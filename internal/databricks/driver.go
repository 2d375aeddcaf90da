package databricks

import (
	"fmt"

	"github.com/apache/arrow/go/v12/arrow"
	sdklogger "github.com/databricks/databricks-sdk-go/logger"
	"github.com/databricks/databricks-sql-go/logger"
)

// init sets the global state of the driver and of the SDK before their first use.
func init() {
	sdklogger.DefaultLogger = quiet{}
	// The driver logs whole statements, with the credentials in them.
	if err := logger.SetLogLevel("disabled"); err != nil {
		panic(fmt.Sprintf("the driver cannot be silenced: %v", err))
	}
	// The driver's Arrow library computes the zone of a shared type when it is first used,
	// which is a data race between two connections.
	if t, ok := arrow.FixedWidthTypes.Timestamp_us.(*arrow.TimestampType); ok {
		_, _ = t.GetZone()
	}
}
