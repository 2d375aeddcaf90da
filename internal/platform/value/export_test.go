package value

// The general parsers, which the fast ones must agree with.
var (
	ParseAnyTime   = parseAnyTime
	ParseAnyNumber = parseAnyNumber
)
