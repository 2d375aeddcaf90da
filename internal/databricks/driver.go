package databricks

import (
	"fmt"

	"github.com/apache/arrow/go/v12/arrow"
	sdklogger "github.com/databricks/databricks-sdk-go/logger"
	"github.com/databricks/databricks-sql-go/logger"
)

// The driver and the SDK have global state that is set before their first use.
func init() {
	sdklogger.DefaultLogger = quiet{}
	// It logs whole statements, with the credentials in them.
	if err := logger.SetLogLevel("disabled"); err != nil {
		panic(fmt.Sprintf("the driver cannot be silenced: %v", err))
	}
	// Its Arrow library finds a shared type's zone on first use, which is a
	// data race between two connections.
	if t, ok := arrow.FixedWidthTypes.Timestamp_us.(*arrow.TimestampType); ok {
		_, _ = t.GetZone()
	}
}
