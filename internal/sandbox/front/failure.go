package front

import (
	"errors"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// failure is an error with the fields that the Thrift protocol carries.
type failure struct {
	message  string
	sqlState string
}

func (f *failure) Error() string { return f.message }

// asFailure converts any error to Databricks' form.
func asFailure(err error) *failure {
	if f := (*failure)(nil); errors.As(err, &f) {
		return f
	}
	if e := (*warehouse.Error)(nil); errors.As(err, &e) {
		return &failure{message: e.Error(), sqlState: e.SQLState}
	}
	return &failure{message: fmt.Sprintf("[INTERNAL_ERROR] %v SQLSTATE: XX000", err), sqlState: "XX000"}
}

func success() *tcli.TStatus { return &tcli.TStatus{StatusCode: tcli.TStatusCode_SUCCESS_STATUS} }

// errorStatus sets both messages, since some clients read one and some the other.
func errorStatus(err error) *tcli.TStatus {
	f := asFailure(err)
	code := int32(0)
	return &tcli.TStatus{
		StatusCode: tcli.TStatusCode_ERROR_STATUS, SqlState: &f.sqlState, ErrorCode: &code,
		ErrorMessage: &f.message, DisplayMessage: &f.message,
	}
}

func invalidSession(id guid) *failure {
	return &failure{message: fmt.Sprintf("Invalid SessionHandle: SessionHandle [%s]", id), sqlState: "HY000"}
}

func invalidOperation(id guid) *failure {
	return &failure{message: fmt.Sprintf("Invalid OperationHandle: OperationHandle [%s]", id), sqlState: "HY000"}
}

var (
	errCanceled = &failure{message: "[OPERATION_CANCELED] Operation has been canceled. SQLSTATE: HY008", sqlState: "HY008"}
	errClosed   = &failure{message: "[OPERATION_CANCELED] Operation has been closed. SQLSTATE: HY008", sqlState: "HY008"}
)

func timeoutFailure(limit time.Duration) *failure {
	return &failure{
		message: fmt.Sprintf("[QUERY_EXECUTION_TIMEOUT_EXCEEDED] Query execution was cancelled due to exceeding the timeout (%.0fs). "+
			"You can increase the limit in seconds by setting STATEMENT_TIMEOUT. SQLSTATE: 57KD0", limit.Seconds()),
		sqlState: "57KD0",
	}
}
