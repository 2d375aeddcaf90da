package front

import (
	"context"
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
)

// jdbcType holds the properties of a type in JDBC and ODBC; -1 stands for NULL.
type jdbcType struct {
	name                      string
	code, size, digits, radix int
	searchable                int
}

var jdbcTypes = map[tcli.TTypeId]jdbcType{
	tcli.TTypeId_NULL_TYPE:                {"VOID", 0, -1, -1, -1, 0},
	tcli.TTypeId_BOOLEAN_TYPE:             {"BOOLEAN", 16, 1, -1, -1, 2},
	tcli.TTypeId_TINYINT_TYPE:             {"TINYINT", -6, 3, 0, 10, 2},
	tcli.TTypeId_SMALLINT_TYPE:            {"SMALLINT", 5, 5, 0, 10, 2},
	tcli.TTypeId_INT_TYPE:                 {"INT", 4, 10, 0, 10, 2},
	tcli.TTypeId_BIGINT_TYPE:              {"BIGINT", -5, 19, 0, 10, 2},
	tcli.TTypeId_FLOAT_TYPE:               {"FLOAT", 6, 7, 7, 10, 2},
	tcli.TTypeId_DOUBLE_TYPE:              {"DOUBLE", 8, 15, 15, 10, 2},
	tcli.TTypeId_DECIMAL_TYPE:             {"DECIMAL", 3, 38, 38, 10, 2},
	tcli.TTypeId_STRING_TYPE:              {"STRING", 12, 2147483647, -1, -1, 3},
	tcli.TTypeId_VARCHAR_TYPE:             {"VARCHAR", 12, 2147483647, -1, -1, 3},
	tcli.TTypeId_CHAR_TYPE:                {"CHAR", 1, 255, -1, -1, 3},
	tcli.TTypeId_BINARY_TYPE:              {"BINARY", -2, 2147483647, -1, -1, 0},
	tcli.TTypeId_DATE_TYPE:                {"DATE", 91, 10, -1, -1, 2},
	tcli.TTypeId_TIMESTAMP_TYPE:           {"TIMESTAMP", 93, 29, 6, -1, 2},
	tcli.TTypeId_ARRAY_TYPE:               {"ARRAY", 2003, -1, -1, -1, 0},
	tcli.TTypeId_MAP_TYPE:                 {"MAP", 2002, -1, -1, -1, 0},
	tcli.TTypeId_STRUCT_TYPE:              {"STRUCT", 2002, -1, -1, -1, 0},
	tcli.TTypeId_INTERVAL_YEAR_MONTH_TYPE: {"INTERVAL YEAR TO MONTH", 12, -1, -1, -1, 0},
	tcli.TTypeId_INTERVAL_DAY_TIME_TYPE:   {"INTERVAL DAY TO SECOND", 12, -1, -1, -1, 0},
}

// typeOrder is the order of the types in GetTypeInfo.
var typeOrder = []tcli.TTypeId{
	tcli.TTypeId_NULL_TYPE, tcli.TTypeId_BOOLEAN_TYPE, tcli.TTypeId_TINYINT_TYPE, tcli.TTypeId_SMALLINT_TYPE,
	tcli.TTypeId_INT_TYPE, tcli.TTypeId_BIGINT_TYPE, tcli.TTypeId_FLOAT_TYPE, tcli.TTypeId_DOUBLE_TYPE,
	tcli.TTypeId_STRING_TYPE, tcli.TTypeId_VARCHAR_TYPE, tcli.TTypeId_CHAR_TYPE, tcli.TTypeId_DATE_TYPE,
	tcli.TTypeId_TIMESTAMP_TYPE, tcli.TTypeId_BINARY_TYPE, tcli.TTypeId_DECIMAL_TYPE, tcli.TTypeId_ARRAY_TYPE,
	tcli.TTypeId_MAP_TYPE, tcli.TTypeId_STRUCT_TYPE, tcli.TTypeId_INTERVAL_YEAR_MONTH_TYPE, tcli.TTypeId_INTERVAL_DAY_TIME_TYPE,
}

// GetInfo returns one property of the server.
func (h *handler) GetInfo(ctx context.Context, req *tcli.TGetInfoReq) (*tcli.TGetInfoResp, error) {
	status := func(s *tcli.TStatus) *tcli.TGetInfoResp {
		empty := ""
		return &tcli.TGetInfoResp{Status: s, InfoValue: &tcli.TGetInfoValue{StringValue: &empty}}
	}
	sess, err := h.sessions.get(req.SessionHandle)
	if err != nil {
		return nil, err
	}
	return serve(ctx, h, rpc[*tcli.TGetInfoResp]{
		name: "GetInfo", session: sess, status: status,
		run: func() (*tcli.TGetInfoResp, error) {
			value, ok := serverInfo(req.InfoType)
			if !ok {
				return status(errorStatus(&failure{message: fmt.Sprintf("Unrecognized GetInfoType value: %d", req.InfoType), sqlState: "HY096"})), nil
			}
			return &tcli.TGetInfoResp{Status: success(), InfoValue: value}, nil
		},
	})
}

func serverInfo(t tcli.TGetInfoType) (*tcli.TGetInfoValue, bool) {
	words := map[tcli.TGetInfoType]string{
		tcli.TGetInfoType_CLI_SERVER_NAME:           "Spark SQL",
		tcli.TGetInfoType_CLI_DBMS_NAME:             "Spark SQL",
		tcli.TGetInfoType_CLI_DBMS_VER:              "4.0.0",
		tcli.TGetInfoType_CLI_DATA_SOURCE_NAME:      "sandbox",
		tcli.TGetInfoType_CLI_DATA_SOURCE_READ_ONLY: "N",
		tcli.TGetInfoType_CLI_IDENTIFIER_QUOTE_CHAR: "`",
		tcli.TGetInfoType_CLI_SEARCH_PATTERN_ESCAPE: "\\",
		tcli.TGetInfoType_CLI_USER_NAME:             "sandbox",
		tcli.TGetInfoType_CLI_CATALOG_NAME:          "Y",
	}
	if w, ok := words[t]; ok {
		return &tcli.TGetInfoValue{StringValue: &w}, true
	}
	lengths := map[tcli.TGetInfoType]int64{
		tcli.TGetInfoType_CLI_MAX_DRIVER_CONNECTIONS:    0,
		tcli.TGetInfoType_CLI_MAX_CONCURRENT_ACTIVITIES: 0,
		tcli.TGetInfoType_CLI_MAX_COLUMN_NAME_LEN:       255,
		tcli.TGetInfoType_CLI_MAX_SCHEMA_NAME_LEN:       255,
		tcli.TGetInfoType_CLI_MAX_CATALOG_NAME_LEN:      255,
		tcli.TGetInfoType_CLI_MAX_TABLE_NAME_LEN:        255,
		tcli.TGetInfoType_CLI_MAX_IDENTIFIER_LEN:        255,
		tcli.TGetInfoType_CLI_IDENTIFIER_CASE:           4, // SQL_IC_MIXED: case is stored, but not significant
	}
	if n, ok := lengths[t]; ok {
		return &tcli.TGetInfoValue{LenValue: &n}, true
	}
	return nil, false
}

// GetTypeInfo lists the types.
func (h *handler) GetTypeInfo(ctx context.Context, req *tcli.TGetTypeInfoReq) (*tcli.TGetTypeInfoResp, error) {
	return runMetadataCall(ctx, h, metadataCall{
		name:    "GetTypeInfo",
		kind:    tcli.TOperationType_GET_TYPE_INFO,
		session: req.SessionHandle,
		direct:  req.GetDirectResults,
		async:   req.RunAsync,
		list: func(context.Context, *session) (*listing, error) {
			out := newListing("TYPE_NAME", "DATA_TYPE INT", "PRECISION INT", "LITERAL_PREFIX", "LITERAL_SUFFIX",
				"CREATE_PARAMS", "NULLABLE SMALLINT", "CASE_SENSITIVE", "SEARCHABLE SMALLINT", "UNSIGNED_ATTRIBUTE",
				"FIXED_PREC_SCALE", "AUTO_INCREMENT", "LOCAL_TYPE_NAME", "MINIMUM_SCALE SMALLINT",
				"MAXIMUM_SCALE SMALLINT", "SQL_DATA_TYPE INT", "SQL_DATETIME_SUB INT", "NUM_PREC_RADIX INT")
			for _, id := range typeOrder {
				t := jdbcTypes[id]
				out.add(t.name, t.code, nullIfNegative(t.size), nil, nil, nil, 1, "false", t.searchable, "false", "false", "false",
					nil, 0, max(t.digits, 0), nil, nil, nullIfNegative(t.radix))
			}
			return out, nil
		},
	}, func(s *tcli.TStatus, o *tcli.TOperationHandle, d *tcli.TSparkDirectResults) *tcli.TGetTypeInfoResp {
		return &tcli.TGetTypeInfoResp{Status: s, OperationHandle: o, DirectResults: d}
	})
}

// GetTableTypes lists the kinds of tables.
func (h *handler) GetTableTypes(ctx context.Context, req *tcli.TGetTableTypesReq) (*tcli.TGetTableTypesResp, error) {
	return runMetadataCall(ctx, h, metadataCall{
		name:    "GetTableTypes",
		kind:    tcli.TOperationType_GET_TABLE_TYPES,
		session: req.SessionHandle,
		direct:  req.GetDirectResults,
		async:   req.RunAsync,
		list: func(context.Context, *session) (*listing, error) {
			out := newListing("TABLE_TYPE")
			out.add("TABLE")
			out.add("VIEW")
			return out, nil
		},
	}, func(s *tcli.TStatus, o *tcli.TOperationHandle, d *tcli.TSparkDirectResults) *tcli.TGetTableTypesResp {
		return &tcli.TGetTableTypesResp{Status: s, OperationHandle: o, DirectResults: d}
	})
}

// GetFunctions lists user-defined functions. The list is empty.
func (h *handler) GetFunctions(ctx context.Context, req *tcli.TGetFunctionsReq) (*tcli.TGetFunctionsResp, error) {
	return runMetadataCall(ctx, h, metadataCall{
		name:    "GetFunctions",
		kind:    tcli.TOperationType_GET_FUNCTIONS,
		session: req.SessionHandle,
		direct:  req.GetDirectResults,
		async:   req.RunAsync,
		list: func(context.Context, *session) (*listing, error) {
			return newListing("FUNCTION_CAT", "FUNCTION_SCHEM", "FUNCTION_NAME", "REMARKS",
				"FUNCTION_TYPE INT", "SPECIFIC_NAME"), nil
		},
	}, func(s *tcli.TStatus, o *tcli.TOperationHandle, d *tcli.TSparkDirectResults) *tcli.TGetFunctionsResp {
		return &tcli.TGetFunctionsResp{Status: s, OperationHandle: o, DirectResults: d}
	})
}

// GetPrimaryKeys lists primary keys. The list is empty.
func (h *handler) GetPrimaryKeys(ctx context.Context, req *tcli.TGetPrimaryKeysReq) (*tcli.TGetPrimaryKeysResp, error) {
	return runMetadataCall(ctx, h, metadataCall{
		name: "GetPrimaryKeys", kind: tcli.TOperationType_UNKNOWN, session: req.SessionHandle, direct: req.GetDirectResults, async: req.RunAsync,
		list: func(context.Context, *session) (*listing, error) {
			return newListing("TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME", "COLUMN_NAME",
				"KEY_SEQ INT", "PK_NAME"), nil
		},
	}, func(s *tcli.TStatus, o *tcli.TOperationHandle, d *tcli.TSparkDirectResults) *tcli.TGetPrimaryKeysResp {
		return &tcli.TGetPrimaryKeysResp{Status: s, OperationHandle: o, DirectResults: d}
	})
}

// GetCrossReference lists foreign keys. The list is empty.
func (h *handler) GetCrossReference(ctx context.Context, req *tcli.TGetCrossReferenceReq) (*tcli.TGetCrossReferenceResp, error) {
	return runMetadataCall(ctx, h, metadataCall{
		name:    "GetCrossReference",
		kind:    tcli.TOperationType_UNKNOWN,
		session: req.SessionHandle,
		direct:  req.GetDirectResults,
		async:   req.RunAsync,
		list: func(context.Context, *session) (*listing, error) {
			return newListing("PKTABLE_CAT", "PKTABLE_SCHEM", "PKTABLE_NAME", "PKCOLUMN_NAME",
				"FKTABLE_CAT", "FKTABLE_SCHEM", "FKTABLE_NAME", "FKCOLUMN_NAME", "KEY_SEQ INT",
				"UPDATE_RULE INT", "DELETE_RULE INT", "FK_NAME", "PK_NAME", "DEFERRABILITY INT"), nil
		},
	}, func(s *tcli.TStatus, o *tcli.TOperationHandle, d *tcli.TSparkDirectResults) *tcli.TGetCrossReferenceResp {
		return &tcli.TGetCrossReferenceResp{Status: s, OperationHandle: o, DirectResults: d}
	})
}
