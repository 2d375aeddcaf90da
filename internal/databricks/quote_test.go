package databricks_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
)

// checklist 14 and 52: a quoted identifier is read back as one identifier.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"plain", "user id", "a`b", "``", "select", "x; DROP TABLE t; --", "naïve 🙂", "'\"\\", "a\nb", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		quoted, err := databricks.Quote(name)
		if name == "" || strings.ContainsRune(name, 0) {
			if err == nil {
				t.Fatalf("%q was accepted", name)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		inner := quoted[1 : len(quoted)-1]
		if quoted[0] != '`' || quoted[len(quoted)-1] != '`' || strings.Contains(strings.ReplaceAll(inner, "``", ""), "`") {
			t.Fatalf("%q does not end where it should", quoted)
		}
		if back := strings.ReplaceAll(inner, "``", "`"); back != name {
			t.Fatalf("%q reads back as %q", name, back)
		}
	})
}

// checklist 52: a literal is read back by Spark's rules.
func FuzzLiteral(f *testing.F) {
	for _, s := range []string{"", "it's", `\`, `\'`, `\\'; DROP TABLE t; --`, "a\x00b\r\n\t\x1a", "\x0012", "🙂'", `%\_`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if back := unescape(t, databricks.Literal(text)); back != text {
			t.Fatalf("%q reads back as %q", text, back)
		}
	})
}

// unescape reads a literal like Spark's parser.
func unescape(t *testing.T, literal string) string {
	t.Helper()
	if literal[0] != '\'' {
		t.Fatalf("%q is not a literal", literal)
	}
	var out strings.Builder
	for i := 1; i < len(literal); {
		switch c := literal[i]; {
		case c == '\'':
			if i != len(literal)-1 {
				t.Fatalf("%q ends early, at %d", literal, i)
			}
			return out.String()
		case c != '\\':
			out.WriteByte(c)
			i++
		case literal[i+1] == 'u':
			n, err := strconv.ParseUint(literal[i+2:i+6], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			out.WriteRune(rune(n))
			i += 6
		case literal[i+1] >= '0' && literal[i+1] <= '7':
			t.Fatalf("%q holds an octal escape", literal)
		default:
			if s, ok := map[byte]string{'n': "\n", 'r': "\r", 't': "\t", 'Z': "\x1a", '%': `\%`, '_': `\_`}[literal[i+1]]; ok {
				out.WriteString(s)
			} else {
				out.WriteByte(literal[i+1])
			}
			i += 2
		}
	}
	t.Fatalf("%q does not end", literal)
	return ""
}

func TestQuoteTable(t *testing.T) {
	t.Parallel()
	got, err := databricks.QuoteTable(jobs.TableName{Catalog: "main", Database: "my db", Table: "a`b"})
	if want := "`main`.`my db`.`a``b`"; got != want || err != nil {
		t.Errorf("QuoteTable = %s, %v, want %s", got, err, want)
	}
	_, err = databricks.QuoteTable(jobs.TableName{Catalog: "main", Database: "", Table: "t"})
	if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Attribute != "database" {
		t.Errorf("an empty database: %#v", err)
	}
}

// checklist 55.
func TestRedact(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"COPY INTO t FROM 's3://b/' WITH (CREDENTIAL (AWS_ACCESS_KEY='canary', AWS_SECRET_KEY = 'can\\'canary', aws_session_token=\"canary\"))",
		"AWS_SECRET_KEY = 'canary ''canary''",
		"AWS_SECRET_KEY\n=\n'canary cut off",
		"AWS_SECRET_KEY='canary\\",
		"OPTIONS ('token' = 'canary', password = 'canary')",
	} {
		if got := redact.Text(text); strings.Contains(got, "canary") {
			t.Errorf("Redact(%s) = %s", text, got)
		}
	}
	const plain = "SELECT 'it''s', token FROM t WHERE a = 'b'"
	if got := redact.Text(plain); got != plain {
		t.Errorf("Redact changed %s to %s", plain, got)
	}
}

// Redacting a text twice, and redacting secrets that are part of the marker's text, does
// not change the marker.
func TestRedactTwice(t *testing.T) {
	t.Parallel()
	const statement = "COPY INTO t WITH (CREDENTIAL (AWS_ACCESS_KEY='canary-id', AWS_SECRET_KEY=\"canary\")) -- the word redacted, act"
	ctx := t.Context()
	for _, secret := range []string{"canary-id", "redacted", "[redacted]", "act", "[", "CREDENTIAL (AWS_ACCESS_KEY='redacted')"} {
		ctx = databricks.WithSecrets(ctx, jobs.NewSecret(secret))
	}
	once := databricks.RedactFor(ctx, statement)
	if strings.Contains(once, "canary") || strings.Contains(strings.ReplaceAll(once, "[redacted]", ""), "act") {
		t.Errorf("got %s, want no secret in it", once)
	}
	if twice := databricks.RedactFor(ctx, once); twice != once {
		t.Errorf("redacted twice: got  %s\nwant %s", twice, once)
	}
}
