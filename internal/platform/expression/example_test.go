package expression_test

import (
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/expression"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

func ExampleExpression_Evaluate() {
	price, _ := value.ParseNumber("19.99")
	event := map[string]value.Value{
		"email":    value.OfString("Ann <ANN@Example.com>"),
		"price":    price,
		"quantity": value.OfInt(3),
	}
	at := time.Date(2024, 3, 31, 12, 0, 0, 0, time.UTC)
	for _, text := range []string{"email(email)", "price * quantity", "now()", "map(emaildomain(email), 1)", "exists(phone)"} {
		e, err := expression.Parse(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(e.Evaluate(event, at).Text())
	}
	// Output:
	// ann@example.com
	// 59.97
	// 2024-03-31T12:00:00.000000Z
	// {"example.com":1}
	// false
}

func ExampleParse_error() {
	_, err := expression.Parse("emial(email)")
	fmt.Println(len(err.Error()) > 0, err.Error()[:40])
	// Output: true column 1: there is no function emial; th
}
