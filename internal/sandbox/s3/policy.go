package s3

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// policy is an IAM policy, as far as session policies for a bucket need it:
// what no statement allows is denied.
type policy struct {
	Statement []statement `json:"Statement"`
}

type statement struct {
	Effect    string                      `json:"Effect"`
	Action    texts                       `json:"Action"`
	Resource  texts                       `json:"Resource"`
	Condition map[string]map[string]texts `json:"Condition"`
}

// texts is one text or a list of them.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// longestPolicy is what STS takes.
const longestPolicy = 2048

func parsePolicy(text string) (*policy, error) {
	var p policy
	if len(text) > longestPolicy {
		return nil, fmt.Errorf("the policy has %d characters, of which %d are allowed", len(text), longestPolicy)
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil || len(p.Statement) == 0 {
		return nil, fmt.Errorf("the policy is not valid: %w", err)
	}
	for _, s := range p.Statement {
		if s.Effect != "Allow" || len(s.Action) == 0 || len(s.Resource) == 0 {
			return nil, fmt.Errorf("the sandbox takes statements that allow actions on resources, and no others")
		}
		for operator, keys := range s.Condition {
			for key := range keys {
				if operator != "StringLike" && operator != "StringEquals" || key != "s3:prefix" && key != "kms:ViaService" {
					return nil, fmt.Errorf("the sandbox does not know the condition %s on %s", operator, key)
				}
			}
		}
	}
	return &p, nil
}

// access is what a request wants to do.
type access struct {
	action, bucket, key string
	// prefix is what a listing asks for.
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

func (t texts) match(text string) bool {
	return slices.ContainsFunc(t, func(pattern string) bool { return like(pattern, text) })
}

// like matches a pattern with * and ?.
func like(pattern, text string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			rest := strings.TrimLeft(pattern, "*")
			for i := range len(text) + 1 {
				if like(rest, text[i:]) {
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
