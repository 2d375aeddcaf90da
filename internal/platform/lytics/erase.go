package lytics

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

const (
	entityPath        = "/api/entity"
	erasureStatusPath = entityPath + "/deletestatus/"
)

// erasureRight is what the token must be allowed to do.
const erasureRight = "delete profiles"

// RequestErasure looks a user up, and asks Lytics to erase the user unless it is
// a dry run. Nothing is asked for a user whom Lytics does not find.
//
// Lytics' own default, conflicts=true, erases every profile that it reaches over
// shared identifiers, one after the other. A telephone number of a household, or
// a placeholder, makes those other people. An erasure cannot be undone, so the
// parameter is always sent, and is false unless the request says otherwise.
func (p *Platform) RequestErasure(ctx context.Context, r jobs.ErasureRequest) (jobs.Erasure, error) {
	id := r.Identity
	summary := "Cannot erase the user of that " + id.Field
	e := jobs.Erasure{Identities: []jobs.Identity{id}, Streams: []jobs.ErasedEvents{}}
	fields, err := p.Fields(ctx)
	if err != nil {
		return jobs.Erasure{}, err
	}
	profile, err := p.lookUp(ctx, summary, fields, id)
	if err != nil && !jobs.IsCode(err, jobs.CodeNotFound) {
		return jobs.Erasure{}, err
	}
	e.Found = err == nil
	owner, err := p.owner(ctx)
	if err != nil {
		return jobs.Erasure{}, err
	}
	e.Account = owner.String()
	if !e.Found {
		return e, nil
	}
	e.Identities = identitiesOf(fields, profile)
	if r.DryRun {
		return e, nil
	}
	c := p.get(summary, entityAddress(id))
	c.method, c.private, c.right = http.MethodDelete, true, erasureRight
	c.query = url.Values{"conflicts": {strconv.FormatBool(r.Conflicts)}}
	var accepted erasureStatus
	if err := p.into(ctx, c, &accepted); err != nil {
		return jobs.Erasure{}, err
	}
	complete := accepted.Complete != nil && *accepted.Complete
	if accepted.RequestID == "" && !complete {
		return jobs.Erasure{}, &jobs.Error{
			Code: jobs.CodeFailed, Summary: summary, Detail: "Lytics accepted the request and gave no id to follow it by",
			Next: "Look in some hours whether the profile is still there, and ask Lytics if it is",
		}
	}
	e.RequestID, e.Done = accepted.RequestID, complete
	return e, nil
}

// erasureStatus is how far an erasure is.
type erasureStatus struct {
	RequestID string `json:"request_id"`
	Complete  *bool  `json:"complete"`
}

// ErasureDone tells whether Lytics has carried a request out.
func (p *Platform) ErasureDone(ctx context.Context, requestID string) (bool, error) {
	c := p.get("Cannot read how far the erasure is", erasureStatusPath+url.PathEscape(requestID))
	c.object, c.right = [2]string{"request for erasure", requestID}, erasureRight
	var s erasureStatus
	err := p.checked(ctx, c, &s, func() error {
		if s.Complete == nil {
			return errors.New("it does not say whether the erasure is complete")
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	return *s.Complete, nil
}

func entityAddress(id jobs.Identity) string {
	return entityPath + "/user/" + url.PathEscape(id.Field) + "/" + url.PathEscape(id.Value)
}

// identitiesOf lists the values of a profile's identifiers.
func identitiesOf(fields []jobs.Field, profile jobs.Profile) []jobs.Identity {
	list := []jobs.Identity{}
	for _, f := range fields {
		v, ok := profile[f.ID]
		if !f.IsIdentifier || !ok {
			continue
		}
		values := []string{v.Text}
		if f.Type == "[]string" {
			// If it is no list of strings, it is shown as it is.
			_ = json.Unmarshal([]byte(v.Text), &values)
		}
		for _, text := range values {
			list = append(list, jobs.Identity{Field: f.ID, Value: text})
		}
	}
	return list
}
