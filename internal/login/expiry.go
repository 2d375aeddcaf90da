package login

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// expiry returns when a token ends, if it is a JWT with the claim exp, as access tokens
// of Databricks' OAuth, Entra and Google are. The signature is not checked: the workspace
// decides whether the token is valid.
func expiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Expires json.Number `json:"exp"`
	}
	if json.Unmarshal(text, &claims) != nil {
		return time.Time{}
	}
	return epoch(claims.Expires)
}

// epoch reads a time in seconds; zero if there is none.
func epoch(n json.Number) time.Time {
	seconds, err := n.Float64()
	if err != nil || seconds <= 0 || seconds > 1e11 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}
