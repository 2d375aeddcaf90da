package page

import (
	"context"
	"time"
)

// namesAge is how long the names are kept: they change rarely, and those of a Lytics
// account are read over the network. namesWait bounds the reading.
const (
	namesAge  = 30 * time.Second
	namesWait = 3 * time.Second
)

// names are the labels of what definitions refer to by an id. What has no name here is
// shown by its id.
type names struct{ authorizations, audiences map[string]string }

func (n names) authorization(id string) string {
	if label := n.authorizations[id]; label != "" {
		return label
	}
	return id
}

// audience is the name of an audience, given by its id or slug.
func (n names) audience(idOrSlug string) string {
	if name := n.audiences[idOrSlug]; name != "" {
		return name
	}
	return idOrSlug
}

// names reads the names, from the cache if they are recent. A page without names is
// better than none, so a failure leaves them out until the next reading.
func (s *server) names(ctx context.Context) names {
	return s.known.get(ctx, s.Now, namesAge, namesWait, s.readNames)
}

func (s *server) readNames(ctx context.Context) names {
	list := names{map[string]string{}, map[string]string{}}
	if all, err := s.API.ListAuthorizations(ctx); err == nil {
		for _, a := range all {
			list.authorizations[a.ID] = a.Label
		}
	}
	if all, err := s.API.Audiences(ctx); err == nil {
		for _, a := range all {
			list.audiences[a.ID], list.audiences[a.Slug] = a.Name, a.Name
		}
	}
	return list
}

// labels are the labels of the jobs, by id.
func labels(list []entry) map[string]string {
	out := make(map[string]string, len(list))
	for _, e := range list {
		out[e.ID] = e.Label
	}
	return out
}

// jobName is the label of a job. A job that was destroyed has none.
func jobName(labels map[string]string, id string) (name string, gone bool) {
	label, ok := labels[id]
	switch {
	case !ok:
		return id, true
	case label == "":
		return id, false
	}
	return label, false
}
