package duck_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
)

// A cast of a column, which DuckDB's own cast makes for most texts, gives what the routine
// gives for every text.
func TestCastsOfColumnsAreThoseOfExpressions(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	texts := []string{
		"0", "-0", "+0", "00", "7", "-7", "+7", "127", "128", "-128", "-129", "32768", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808",
		"-9223372036854775808", "1_000", "1e3", "1.5", "2.5", ".5", "5.", ".", "-", "", " 1", "1 ", "0x10", "1d", "1f", "1e400", "-1e400", "1e-400", "4.9e-324", "1e",
		"1e+5", "1E5", "inf", "-inf", "Infinity", "+Infinity", "NaN", "nan", "-nan", "0.1", "123456789012345678901234567890", "1.7976931348623159e308", "1,5", "1 5",
		"true", "false", "TRUE", "t", "no", "1970-01-01", "2024-02-29", "2023-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "-0001-01-01",
		"2024-1-2", "2024-01-02 ", "2024/01/02", "20240102", "2024-01-02T", "infinity", "-infinity", "epoch", "0044-03-15 (BC)", "2024-01-02T03:04:05.123456Z",
		"2024-01-02T03:04:05.000000Z", "2024-01-02T24:00:00.000000Z", "2024-01-02T23:59:60.000000Z", "2024-02-30T00:00:00.000000Z", "0000-01-02T03:04:05.123456Z",
		"0999-01-02T03:04:05.123456Z", "9999-12-31T23:59:59.999999Z", "2024-01-02 03:04:05.123456Z", "2024-01-02T03:04:05.123456z", "2024-01-02T03:04:05.1234567",
		"2024-01-02T03:04:05Z", "2024-01-02T03:04:05.12345+1", "2024-01-02 03:04:05.1234567", "294247-01-10T04:00:54.77580", "a\x00b", "١", "1\u00a0",
	}
	for range 4000 {
		texts = append(texts, randomNumber())
	}
	b.exec("CREATE TABLE t (s STRING)")
	for from := 0; from < len(texts); from += 500 {
		var rows []string
		for _, s := range texts[from:min(len(texts), from+500)] {
			rows = append(rows, "('"+strings.ReplaceAll(s, "\x00", "\\0")+"')")
		}
		b.exec("INSERT INTO t VALUES " + strings.Join(rows, ", "))
	}
	for _, to := range strings.Fields("TINYINT SMALLINT INT BIGINT DOUBLE FLOAT BOOLEAN DATE TIMESTAMP TIMESTAMP_NTZ DECIMAL(10,2)") {
		for _, zone := range []string{"UTC", "America/New_York"} {
			b.exec("SET TIME ZONE '" + zone + "'")
			for _, ansi := range []string{"true", "false"} {
				b.exec("SET ansi_mode = " + ansi)
				cast := "CAST"
				if ansi == "true" {
					cast = "TRY_CAST"
				}
				column, expression := fmt.Sprintf("%s(s AS %s)", cast, to), fmt.Sprintf("%s(concat(s, '') AS %s)", cast, to)
				query := fmt.Sprintf("SELECT s, a, b FROM (SELECT s, CAST(%s AS STRING) AS a, CAST(%s AS STRING) AS b FROM t) WHERE NOT (a <=> b)", column, expression)
				for _, row := range b.rows(query) {
					t.Errorf("%s to %s in %s: the text, its cast as a column and the one as an expression are %q", cast, to, zone, row)
				}
			}
		}
	}
}

// randomNumber is a text that is nearly a number.
func randomNumber() string {
	const characters = "0123456789012345678901234567890123456789..--+eE_ dfnia"
	var s strings.Builder
	for range 1 + rand.IntN(12) {
		s.WriteByte(characters[rand.IntN(len(characters))])
	}
	return s.String()
}
