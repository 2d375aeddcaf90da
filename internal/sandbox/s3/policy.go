package s3

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// policy is an IAM policy, restricted to what session policies for a bucket need:
// it allows what a statement allows, and denies everything else.
type policy struct {
	Statement []statement `json:"Statement"`
}

type statement struct {
	Effect    string                             `json:"Effect"`
	Action    stringOrList                       `json:"Action"`
	Resource  stringOrList                       `json:"Resource"`
	Condition map[string]map[string]stringOrList `json:"Condition"`
}

// stringOrList is a string, or a list of strings.
type stringOrList []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *stringOrList) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*t = stringOrList{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// maxPolicyLength is the limit of STS, in characters.
const maxPolicyLength = 2048

func parsePolicy(text string) (*policy, error) {
	var p policy
	if len(text) > maxPolicyLength {
		return nil, fmt.Errorf("the policy has %d characters; at most %d are allowed", len(text), maxPolicyLength)
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return nil, fmt.Errorf("the policy is not valid: %w", err)
	}
	if len(p.Statement) == 0 {
		return nil, errors.New("the policy is not valid: it has no Statement")
	}
	for _, s := range p.Statement {
		if s.Effect != "Allow" || len(s.Action) == 0 || len(s.Resource) == 0 {
			return nil, fmt.Errorf("the sandbox supports only statements that allow actions on resources")
		}
		for operator, keys := range s.Condition {
			for key := range keys {
				if operator != "StringLike" && operator != "StringEquals" || key != "s3:prefix" && key != "kms:ViaService" {
					return nil, fmt.Errorf("the sandbox does not support the condition %s on %s", operator, key)
				}
			}
		}
	}
	return &p, nil
}

// access is an action on a bucket or an object.
type access struct {
	action, bucket, key string
	// prefix is the prefix of a listing.
	prefix string
}

func (a access) resource() string {
	if a.key == "" {
		return "arn:aws:s3:::" + a.bucket
	}
	return "arn:aws:s3:::" + a.bucket + "/" + a.key
}

func (p *policy) allows(a access) bool {
	return slices.ContainsFunc(p.Statement, func(s statement) bool {
		return s.Action.match(a.action) && s.Resource.match(a.resource()) && s.conditionsHold(a)
	})
}

func (s statement) conditionsHold(a access) bool {
	for operator, keys := range s.Condition {
		for key, patterns := range keys {
			holds := key == "s3:prefix" && a.action == "s3:ListBucket"
			if operator == "StringEquals" {
				holds = holds && slices.Contains(patterns, a.prefix)
			} else {
				holds = holds && patterns.match(a.prefix)
			}
			if !holds {
				return false
			}
		}
	}
	return true
}

func (t stringOrList) match(text string) bool {
	return slices.ContainsFunc(t, func(pattern string) bool { return matchesWildcards(pattern, text) })
}

// matchesWildcards matches text with a pattern in which * and ? are wildcards.
func matchesWildcards(pattern, text string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			rest := strings.TrimLeft(pattern, "*")
			for i := range len(text) + 1 {
				if matchesWildcards(rest, text[i:]) {
					return true
				}
			}
			return false
		case text == "" || pattern[0] != '?' && pattern[0] != text[0]:
			return false
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}
