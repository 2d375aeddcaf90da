package redact

import (
	"regexp"
	"strings"
)

// shape matches a credential that this process need not have opened.
type shape struct {
	// sign is a text without which the pattern cannot match.
	sign        string
	pattern     *regexp.Regexp
	replacement string
}

var shapes = []shape{
	// The values of credentials in a statement. A literal may end with the text,
	// because messages have a length limit.
	{"=", regexp.MustCompile(
		`(?is)(\b(?:AWS_ACCESS_KEY|AWS_SECRET_KEY|AWS_SESSION_TOKEN|AZURE_SAS_TOKEN|fs\.s3a\.[a-z.]+|password|token)\b['"]?\s*=\s*)` +
			`(?:'(?:[^'\\]|\\.|'')*(?:'|\\?$)|"(?:[^"\\]|\\.|"")*(?:"|\\?$))`), "${1}'" + Marker + "'"},
	// User and password in a URL.
	{"://", regexp.MustCompile(`(?i)(\b[a-z][a-z0-9+.-]*://)[^\s/?#'"<>\\]+@`), "${1}" + Marker + "@"},
	// The parameters of a URL that let its holder in: presigned URLs of S3, Azure
	// and Google, and tokens.
	{"=", regexp.MustCompile(
		`(?i)((?:[?&;]|\\u0026)(?:x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)|awsaccesskeyid|signature|sig|` +
			`access_token|client_secret|token|password|api_key|apikey)=)[^&;\s'"<>\\]+`), "${1}" + Marker},
	// What a request is authorized by.
	{" ", regexp.MustCompile(`(?i)\b((?:bearer|basic)\s+)[a-z0-9._~+/-]{16,}=*`), "${1}" + Marker},
	// A personal access token of Databricks.
	{"dapi", regexp.MustCompile(`\bdapi[0-9a-f]{32}(?:-[0-9]+)?\b`), Marker},
	// A token of a runner.
	{"lyr_", regexp.MustCompile(`\blyr_[A-Z2-7]{52}\b`), Marker},
}

func replaceShapes(text string) string {
	for _, s := range shapes {
		if strings.Contains(text, s.sign) {
			text = s.pattern.ReplaceAllString(text, s.replacement)
		}
	}
	return text
}
