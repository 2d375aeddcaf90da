package filterql_test

import (
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/filterql"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

func ExampleFilter_Evaluate() {
	f, err := filterql.Parse(`FILTER AND (EXISTS email, spend > 100, last_order > "now-30d", NOT INCLUDE churned)`)
	if err != nil {
		fmt.Println(err)
		return
	}
	churned, err := filterql.Parse(`last_order < "now-1y"`)
	if err != nil {
		fmt.Println(err)
		return
	}
	profile := map[string]value.Value{
		"email":      value.OfString("ann@example.com"),
		"spend":      value.OfInt(250),
		"last_order": value.OfString("2024-03-20T12:00:00Z"),
	}
	date, _ := value.ParseType("date")
	now := time.Date(2024, 3, 31, 0, 0, 0, 0, time.UTC)
	matches, known, err := f.Evaluate(profile, map[string]value.Type{"last_order": date}, now, map[string]*filterql.Filter{"churned": churned})
	fmt.Println(matches, known, err)
	// Output: true true <nil>
}

// A compiled filter matches many rows.
func ExampleFilter_Compile() {
	f, err := filterql.Parse(`visits >= 2`)
	if err != nil {
		fmt.Println(err)
		return
	}
	number, _ := value.ParseType("int")
	m, err := f.Compile(filterql.Environment{
		Now:   time.Date(2024, 3, 31, 0, 0, 0, 0, time.UTC),
		Field: func(name string) (int, value.Type, bool) { return 0, number, name == "visits" },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for visits := range int64(4) {
		fmt.Println(visits, m.Match([]value.Value{value.OfInt(visits)}))
	}
	// Output:
	// 0 false
	// 1 false
	// 2 true
	// 3 true
}
