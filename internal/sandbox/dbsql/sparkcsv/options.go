// Package sparkcsv reads CSV files as Spark does, including the quirks of Spark's
// parser (univocity) and its type inference.
//
// It serves COPY INTO of the DuckDB engine, with which exports load tables. The Spark engine
// uses its check of the options.
package sparkcsv

import (
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
)

// Options are Spark's CSV options.
type Options struct {
	Header, InferSchema, MultiLine, MergeSchema bool
	Sep, Quote, Escape                          byte
	// EscapeEscape is the option charToEscapeQuoteEscaping; 0 means none.
	EscapeEscape byte
	Comment      byte
	NullValue    string
	EmptyValue   string
	Mode         string
	Encoding     string
	LineSep      string
	TrimLeft     bool
	TrimRight    bool
	MaxColumns   int
	PreferDate   bool
}

// The modes.
const (
	Permissive    = "PERMISSIVE"
	FailFast      = "FAILFAST"
	DropMalformed = "DROPMALFORMED"
)

// ParseOptions parses options; names are not case-sensitive. It returns an error for
// unknown options, and for those that this reader does not support.
func ParseOptions(values map[string]string) (Options, error) {
	o := Options{Sep: ',', Quote: '"', Escape: '\\', Mode: Permissive, Encoding: "UTF-8", MaxColumns: 20480, PreferDate: true}
	escapeEscape := ""
	for key, v := range values {
		var err error
		switch k := strings.ToLower(key); k {
		case "header":
			o.Header, err = parseBool(key, v)
		case "inferschema":
			o.InferSchema, err = parseBool(key, v)
		case "multiline":
			o.MultiLine, err = parseBool(key, v)
		case "mergeschema":
			o.MergeSchema, err = parseBool(key, v)
		case "ignoreleadingwhitespace":
			o.TrimLeft, err = parseBool(key, v)
		case "ignoretrailingwhitespace":
			o.TrimRight, err = parseBool(key, v)
		case "preferdate":
			o.PreferDate, err = parseBool(key, v)
		case "sep", "delimiter":
			o.Sep, err = parseChar(key, v)
		case "quote":
			o.Quote, err = parseChar(key, v)
		case "escape":
			o.Escape, err = parseChar(key, v)
		case "comment":
			o.Comment, err = parseChar(key, v)
		case "chartoescapequoteescaping":
			escapeEscape = v
			o.EscapeEscape, err = parseChar(key, v)
		case "nullvalue":
			o.NullValue = v
		case "emptyvalue":
			o.EmptyValue = v
		case "mode":
			o.Mode = strings.ToUpper(v)
			if o.Mode != Permissive && o.Mode != FailFast && o.Mode != DropMalformed {
				// As in Spark, an unknown mode means PERMISSIVE.
				o.Mode = Permissive
			}
		case "encoding", "charset":
			o.Encoding = strings.ToUpper(v)
		case "linesep":
			if v == "" || len(v) > 1 {
				err = invalidOption(key, v, "a line separator of one character")
			}
			o.LineSep = v
		case "maxcolumns":
			o.MaxColumns, err = strconv.Atoi(v)
			if err != nil {
				err = invalidOption(key, v, "a whole number")
			}
		case "maxcharspercolumn":
			if v != "-1" {
				err = sqlerror.Unsupported("the CSV option " + key)
			}
		default:
			if unsupportedOptions[k] {
				return o, sqlerror.Unsupported("the CSV option " + key)
			}
			return o, sqlerror.New(
				"CF_UNKNOWN_OPTION_KEYS_ERROR",
				"42KD9",
				"Found unknown option keys: %s. Please make sure that all provided option keys are correct.",
				key,
			)
		}
		if err != nil {
			return o, err
		}
	}
	if escapeEscape == "" && o.Escape != o.Quote {
		o.EscapeEscape = o.Escape
	}
	switch o.Encoding {
	case "UTF-8", "UTF8", "ISO-8859-1", "LATIN1":
	default:
		return o, sqlerror.Unsupported("the CSV encoding " + o.Encoding)
	}
	return o, nil
}

// unsupportedOptions are options of Databricks that this reader does not support.
var unsupportedOptions = map[string]bool{}

func init() {
	for k := range strings.FieldsSeq("dateformat timestampformat timestampntzformat columnnameofcorruptrecord locale samplingratio " +
		"enforceschema negativeinf positiveinf nanvalue unescapedquotehandling rescueddatacolumn readercasesensitive skiprows " +
		"badrecordspath ignorecorruptfiles ignoremissingfiles modifiedafter modifiedbefore pathglobfilter recursivefilelookup " +
		"escapequotes quoteall compression timezone singlevariantcolumn") {
		unsupportedOptions[k] = true
	}
}

func invalidOption(key, value, want string) error {
	return sqlerror.New("INVALID_OPTIONS.VALUE", "42K06", "Invalid options: the value '%s' of %s must be %s.", value, key, want)
}

func parseBool(key, v string) (bool, error) {
	switch strings.ToLower(v) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, invalidOption(key, v, "true or false")
}

// parseChar parses an option of one character. The empty string turns quoting or
// escaping off.
func parseChar(key, v string) (byte, error) {
	switch v {
	case "":
		return 0, nil
	case `\t`:
		return '\t', nil
	case `\\`:
		return '\\', nil
	}
	if len(v) != 1 {
		return 0, sqlerror.Unsupported("the CSV option " + key + " with a value of more than one ASCII character")
	}
	return v[0], nil
}
