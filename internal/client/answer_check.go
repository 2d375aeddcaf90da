package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// needed are the keys that an answer must have besides the id or the name of its object. A
// key that a later release added is not among them: the runner may be of an earlier one.
var needed = map[reflect.Type][]string{
	reflect.TypeFor[jobs.Run]():               {"job_id", "status"},
	reflect.TypeFor[jobs.LogLine]():           {"level", "message"},
	reflect.TypeFor[jobs.DryRun]():            {"job_id", "reads", "writes"},
	reflect.TypeFor[jobs.Erasure]():           {"found", "done", "identities", "streams"},
	reflect.TypeFor[jobs.Judgement]():         {"arbiter"},
	reflect.TypeFor[jobs.QuarantineList]():    {"entries", "total", "rows"},
	reflect.TypeFor[jobs.Resent]():            {"accepted", "rejected"},
	reflect.TypeFor[jobs.AuditPage]():         {"entries"},
	reflect.TypeFor[protocol.Authorization](): {"spec"},
	reflect.TypeFor[protocol.StreamInfo]():    {"events", "bytes"},
	reflect.TypeFor[protocol.ErasureStatus](): {"done"},
	reflect.TypeFor[protocol.NewToken]():      {"token", "secret"},
	reflect.TypeFor[protocol.SignInCode]():    {"code", "expires_at"},
	reflect.TypeFor[revokedTokens]():          {"revoked"},
	reflect.TypeFor[droppedRows]():            {"dropped"},
}

// revokedTokens and droppedRows are the answers that only count.
type revokedTokens struct {
	Revoked int64 `json:"revoked"`
}

type droppedRows struct {
	Dropped int64 `json:"dropped"`
}

// decode decodes an answer, and fails if it lacks what every runner writes. An object without
// its id, or a list that is null, would be taken for another answer.
func decode[T any](text []byte) (out T, err error) {
	if !utf8.Valid(text) {
		return out, errors.New("it is no UTF-8")
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return out, err
	}
	v, answer := reflect.ValueOf(&out).Elem(), gjson.ParseBytes(text)
	if v.Kind() != reflect.Slice {
		return out, complete(v, answer)
	}
	if !answer.IsArray() {
		return out, errors.New("it is no list")
	}
	i := 0
	answer.ForEach(func(_, entry gjson.Result) bool {
		if err = complete(v.Index(i), entry); err != nil {
			err = fmt.Errorf("entry %d: %w", i+1, err)
		}
		i++
		return err == nil
	})
	return out, err
}

// complete checks one decoded value.
func complete(v reflect.Value, text gjson.Result) error {
	if text.Type == gjson.Null {
		return errors.New("it is null")
	}
	switch v.Kind() {
	case reflect.String:
		if v.String() == "" {
			return errors.New("it is empty")
		}
	case reflect.Int64:
		if v.Int() < 0 {
			return errors.New("it is negative")
		}
	case reflect.Struct:
		for _, key := range needed[v.Type()] {
			if text.Get(key).Type == gjson.Null {
				return fmt.Errorf("it has no %s", key)
			}
		}
		return named(v)
	}
	return nil
}

// named checks that an object has its id or, where its kind has none, its name, and that its
// counts are not negative.
func named(v reflect.Value) error {
	texts := map[string]string{}
	for _, f := range reflect.VisibleFields(v.Type()) {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Type == reflect.TypeFor[jobs.Token]() {
			if err := named(v.FieldByIndex(f.Index)); err != nil {
				return err
			}
		}
		switch f.Type.Kind() {
		case reflect.String:
			texts[key] = v.FieldByIndex(f.Index).String()
		case reflect.Int64:
			if v.FieldByIndex(f.Index).Int() < 0 {
				return fmt.Errorf("its %s is negative", key)
			}
		}
	}
	for _, key := range []string{"id", "name"} {
		if text, ok := texts[key]; ok {
			if text == "" {
				return fmt.Errorf("it has no %s", key)
			}
			break
		}
	}
	if text, ok := texts["secret"]; ok && text == "" {
		return errors.New("it has no secret")
	}
	return nil
}

// malformed is the error of an answer that is not what the API describes.
func (c *Client) malformed(err error) *jobs.Error {
	return &jobs.Error{
		Code: jobs.CodeUnreachable, Attribute: "runner.url", Summary: "An answer of " + c.place + " is not what its API describes",
		Detail: shortened(err.Error(), 500) + ".", Err: err,
		Next: "Check the URL, and which proxies are on the way; where the runner itself answers so, use one release on both sides",
	}
}

// maxText limits a text of a problem in an error, in bytes.
const maxText = 8 << 10

// problem is the error that a runner answered.
func (c *Client) problem(p *protocol.Problem) error {
	if p.Code == "" || p.Title == "" {
		return c.malformed(errors.New("it is a problem without a code or a title"))
	}
	withoutValues(p)
	e := p.JobsError()
	if e.Next == "" {
		e.Next = "Read the log of the runner"
	}
	for _, text := range []*string{&e.Summary, &e.Detail, &e.Next, &e.Attribute} {
		*text = shortened(*text, maxText)
	}
	return e
}

func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
