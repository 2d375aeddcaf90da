package databricks

// shape is the structure of a Thrift struct, as far as the driver reads it: the driver
// believes that what its definition requires is there, and that a list holds what it says.
// Fields that are not in a shape may have any form.
type shape struct {
	name   string
	fields []shapeField
}

// shapeField is a field of a struct.
type shapeField struct {
	id   int64
	name string
	kind byte
	// of is the kind of the elements of a list, or of the values of a map, whose keys are
	// strings.
	of byte
	// shape is the structure of a struct, or of the structs in a list or map.
	shape    *shape
	required bool
}

// must marks a field as required.
func (f shapeField) must() shapeField { f.required = true; return f }

func scalar(id int64, name string, kind byte) shapeField {
	return shapeField{id: id, name: name, kind: kind}
}

func structOf(id int64, name string, s *shape) shapeField {
	return shapeField{id: id, name: name, kind: thriftStruct, shape: s}
}

func listOf(id int64, name string, of byte, s *shape) shapeField {
	return shapeField{id: id, name: name, kind: thriftList, of: of, shape: s}
}

func mapOf(id int64, name string, of byte, s *shape) shapeField {
	return shapeField{id: id, name: name, kind: thriftMap, of: of, shape: s}
}

func valuesShape(name string, of byte) *shape {
	return &shape{name, []shapeField{listOf(1, "values", of, nil).must(), scalar(2, "nulls", thriftString).must()}}
}

var (
	statusShape = &shape{"TStatus", []shapeField{
		scalar(1, "statusCode", thriftI32).must(),
		listOf(2, "infoMessages", thriftString, nil),
		scalar(3, "sqlState", thriftString),
		scalar(4, "errorCode", thriftI32),
		scalar(5, "errorMessage", thriftString),
		scalar(6, "displayMessage", thriftString),
		scalar(0x501, "errorDetailsJson", thriftString),
	}}
	identifierShape = &shape{"THandleIdentifier", []shapeField{
		scalar(1, "guid", thriftString).must(), scalar(2, "secret", thriftString).must(),
	}}
	sessionShape   = &shape{"TSessionHandle", []shapeField{structOf(1, "sessionId", identifierShape).must()}}
	operationShape = &shape{"TOperationHandle", []shapeField{
		structOf(1, "operationId", identifierShape).must(),
		scalar(2, "operationType", thriftI32).must(),
		scalar(3, "hasResultSet", thriftBool).must(),
		scalar(4, "modifiedRowCount", thriftDouble),
	}}
	qualifierShape = &shape{"TTypeQualifierValue", []shapeField{
		scalar(1, "i32Value", thriftI32), scalar(2, "stringValue", thriftString),
	}}
	primitiveShape = &shape{"TPrimitiveTypeEntry", []shapeField{
		scalar(1, "type", thriftI32).must(),
		structOf(2, "typeQualifiers", &shape{"TTypeQualifiers", []shapeField{mapOf(1, "qualifiers", thriftStruct, qualifierShape).must()}}),
	}}
	typeShape = &shape{"TTypeDesc", []shapeField{
		listOf(1, "types", thriftStruct, &shape{"TTypeEntry", []shapeField{structOf(1, "primitiveEntry", primitiveShape)}}).must(),
	}}
	schemaShape = &shape{"TTableSchema", []shapeField{
		listOf(1, "columns", thriftStruct, &shape{"TColumnDesc", []shapeField{
			scalar(1, "columnName", thriftString).must(),
			structOf(2, "typeDesc", typeShape).must(),
			scalar(3, "position", thriftI32).must(),
			scalar(4, "comment", thriftString),
		}}).must(),
	}}
	columnShape = &shape{"TColumn", []shapeField{
		structOf(1, "boolVal", valuesShape("TBoolColumn", thriftBool)),
		structOf(2, "byteVal", valuesShape("TByteColumn", thriftByte)),
		structOf(3, "i16Val", valuesShape("TI16Column", thriftI16)),
		structOf(4, "i32Val", valuesShape("TI32Column", thriftI32)),
		structOf(5, "i64Val", valuesShape("TI64Column", thriftI64)),
		structOf(6, "doubleVal", valuesShape("TDoubleColumn", thriftDouble)),
		structOf(7, "stringVal", valuesShape("TStringColumn", thriftString)),
		structOf(8, "binaryVal", valuesShape("TBinaryColumn", thriftString)),
	}}
	rowSetShape = &shape{"TRowSet", []shapeField{
		scalar(1, "startRowOffset", thriftI64).must(),
		listOf(2, "rows", thriftStruct, &shape{name: "TRow"}).must(),
		listOf(3, "columns", thriftStruct, columnShape),
		scalar(4, "binaryColumns", thriftString),
		scalar(5, "columnCount", thriftI32),
		listOf(0x501, "arrowBatches", thriftStruct, &shape{"TSparkArrowBatch", []shapeField{
			scalar(1, "batch", thriftString).must(), scalar(2, "rowCount", thriftI64).must(),
		}}),
		listOf(0x502, "resultLinks", thriftStruct, &shape{"TSparkArrowResultLink", []shapeField{
			scalar(1, "fileLink", thriftString).must(),
			scalar(2, "expiryTime", thriftI64).must(),
			scalar(3, "startRowOffset", thriftI64).must(),
			scalar(4, "rowCount", thriftI64).must(),
			scalar(5, "bytesNum", thriftI64).must(),
			mapOf(6, "httpHeaders", thriftString, nil),
		}}),
	}}
	metadataShape = &shape{"TGetResultSetMetadataResp", []shapeField{
		structOf(1, "status", statusShape).must(),
		structOf(2, "schema", schemaShape),
		scalar(0x501, "resultFormat", thriftI32),
		scalar(0x502, "lz4Compressed", thriftBool),
		scalar(0x503, "arrowSchema", thriftString),
		scalar(0x504, "cacheLookupResult", thriftI32),
		scalar(0x505, "uncompressedBytes", thriftI64),
		scalar(0x506, "compressedBytes", thriftI64),
		scalar(0x507, "isStagingOperation", thriftBool),
	}}
	fetchShape = &shape{"TFetchResultsResp", []shapeField{
		structOf(1, "status", statusShape).must(),
		scalar(2, "hasMoreRows", thriftBool),
		structOf(3, "results", rowSetShape),
		structOf(0x501, "resultSetMetadata", metadataShape),
	}}
	operationStatusShape = &shape{"TGetOperationStatusResp", []shapeField{
		structOf(1, "status", statusShape).must(),
		scalar(2, "operationState", thriftI32),
		scalar(3, "sqlState", thriftString),
		scalar(4, "errorCode", thriftI32),
		scalar(5, "errorMessage", thriftString),
		scalar(6, "taskStatus", thriftString),
		scalar(7, "operationStarted", thriftI64),
		scalar(8, "operationCompleted", thriftI64),
		scalar(9, "hasResultSet", thriftBool),
		scalar(11, "numModifiedRows", thriftI64),
		scalar(0x501, "displayMessage", thriftString),
		scalar(0x502, "diagnosticInfo", thriftString),
		scalar(0x503, "errorDetailsJson", thriftString),
	}}
	statusOnlyShape = &shape{"answer", []shapeField{structOf(1, "status", statusShape).must()}}
	executeShape    = &shape{"TExecuteStatementResp", []shapeField{
		structOf(1, "status", statusShape).must(),
		structOf(2, "operationHandle", operationShape),
		structOf(0x501, "directResults", &shape{"TSparkDirectResults", []shapeField{
			structOf(1, "operationStatus", operationStatusShape).must(),
			structOf(2, "resultSetMetadata", metadataShape),
			structOf(3, "resultSet", fetchShape),
			structOf(4, "closeOperation", statusOnlyShape),
		}}),
	}}
	openShape = &shape{"TOpenSessionResp", []shapeField{
		structOf(1, "status", statusShape).must(),
		scalar(2, "serverProtocolVersion", thriftI32).must(),
		structOf(3, "sessionHandle", sessionShape),
		mapOf(4, "configuration", thriftString, nil),
		structOf(0x504, "initialNamespace", &shape{"TNamespace", []shapeField{
			scalar(1, "catalogName", thriftString), scalar(2, "schemaName", thriftString),
		}}),
		scalar(0x505, "canUseMultipleCatalogs", thriftBool),
	}}
)

// replyShape returns the structure of the answer to a method.
func replyShape(method string) *shape {
	switch method {
	case "OpenSession":
		return openShape
	case "ExecuteStatement":
		return executeShape
	case "GetOperationStatus":
		return operationStatusShape
	case "GetResultSetMetadata":
		return metadataShape
	case "FetchResults":
		return fetchShape
	default:
		return statusOnlyShape
	}
}
