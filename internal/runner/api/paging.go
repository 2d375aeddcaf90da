package api

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Paging is the part of a list's input that selects a page of it.
type Paging struct {
	Limit int    `query:"limit" minimum:"0" doc:"The most objects to give; 0 means all."`
	After string `query:"after" doc:"Only what the list has behind this object: the id of the last object of the page before, or its name where it has no id; of a log, the number of lines that were read."`
	Asked
}

// Asked is the URL of a request, for the link to the next page.
type Asked struct{ url url.URL }

// Resolve implements huma.Resolver.
func (a *Asked) Resolve(hc huma.Context) []error {
	a.url = hc.URL()
	return nil
}

// next links to the page behind an object.
func (a *Asked) next(after string) string {
	query := a.url.Query()
	query.Set("after", after)
	next := url.URL{Path: a.url.Path, RawPath: a.url.RawPath, RawQuery: query.Encode()}
	return "<" + next.String() + `>; rel="next"`
}

// defaultPage is the number of objects of a page in lists that grow without end.
const defaultPage = 100

// onePage is the answer of a list.
type onePage[T any] struct {
	Link string `header:"Link" doc:"The next page, as </api/v1/...>; rel=\"next\" (RFC 8288). The last page has none, or the page behind it is empty."`
	Body T
}

// pageOf cuts a page out of a whole list. key is what After names an object by.
func pageOf[T any](p Paging, all []T, key func(i int, v T) string) (*onePage[[]T], error) {
	from := 0
	if p.After != "" {
		for i, v := range all {
			if key(i, v) == p.After {
				from = i + 1
				break
			}
		}
		if from == 0 {
			return nil, goneFromList(p.After)
		}
	}
	out := &onePage[[]T]{Body: append([]T{}, all[from:]...)}
	if p.Limit > 0 && len(out.Body) > p.Limit {
		out.Body = out.Body[:p.Limit]
		last := from + p.Limit - 1
		out.Link = p.next(key(last, all[last]))
	}
	return out, nil
}

// goneFromList refuses a page that begins behind an object which the list does not
// have: a page from its beginning would repeat, and an empty one would hide the rest.
func goneFromList(after string) error {
	return jobs.Invalid("after", fmt.Sprintf("The list has no object %q to go on after", after),
		"It was removed since the page before was read, or belongs to another list.", "Read the list again from its beginning")
}

// lineNumber is the key of the lines of a log, which only grows.
func lineNumber[T any](i int, _ T) string { return strconv.Itoa(i + 1) }
