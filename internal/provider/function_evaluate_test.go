package provider_test

import (
	"math/big"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// hcl converts Go values as Terraform converts HCL: objects, tuples, numbers with
// 512 bits. It is of the dynamic type.
func hcl(t *testing.T, v any) tftypes.Value {
	t.Helper()
	switch v := v.(type) {
	case nil:
		return tftypes.NewValue(tftypes.DynamicPseudoType, nil)
	case map[string]any:
		attributes, types := map[string]tftypes.Value{}, map[string]tftypes.Type{}
		for name, e := range v {
			attributes[name] = hcl(t, e)
			types[name] = attributes[name].Type()
		}
		return tftypes.NewValue(tftypes.Object{AttributeTypes: types}, attributes)
	case []any:
		var elements []tftypes.Value
		var types []tftypes.Type
		for _, e := range v {
			elements = append(elements, hcl(t, e))
			types = append(types, elements[len(elements)-1].Type())
		}
		return tftypes.NewValue(tftypes.Tuple{ElementTypes: types}, elements)
	case number:
		n, _, err := big.ParseFloat(string(v), 10, 512, big.ToNearestEven)
		if err != nil {
			t.Fatal(err)
		}
		return tftypes.NewValue(tftypes.Number, n)
	case bool:
		return tftypes.NewValue(tftypes.Bool, v)
	case string:
		return tftypes.NewValue(tftypes.String, v)
	case tftypes.Value:
		return v
	}
	t.Fatalf("%T has no value in HCL", v)
	return tftypes.Value{}
}

// number is a number as it is written in HCL.
type number string

// texts is a map of strings.
func texts(m map[string]string) tftypes.Value {
	elements := map[string]tftypes.Value{}
	for k, v := range m {
		elements[k] = tftypes.NewValue(tftypes.String, v)
	}
	return tftypes.NewValue(tftypes.Map{ElementType: tftypes.String}, elements)
}

// callFunction calls a function. Arguments of a dynamic parameter are encoded so.
func (r *client) callFunction(name string, result tftypes.Type, arguments ...any) (tftypes.Value, *tfprotov6.FunctionError) {
	r.t.Helper()
	parameters := r.schema.Functions[name].Parameters
	req := &tfprotov6.CallFunctionRequest{Name: name}
	for i, a := range arguments {
		v := hcl(r.t, a)
		typ := v.Type()
		if i < len(parameters) {
			typ = parameters[i].Type
		}
		req.Arguments = append(req.Arguments, dynamic(r.t, typ, v))
	}
	resp, err := r.server.CallFunction(r.t.Context(), req)
	if err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	if resp.Error != nil {
		return tftypes.Value{}, resp.Error
	}
	v, err := resp.Result.Unmarshal(result)
	if err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	return v, nil
}

const noon = "2026-01-31T12:00:00Z"

var noTypes = texts(nil)

func TestEvaluateFilter(t *testing.T) {
	t.Parallel()
	c := newClient(t, providertest.New())
	ann := map[string]any{
		"email": "ann@example.com", "age": number("31"), "spend": number("0.1"), "vip": true, "city": nil, "since": "2026-01-20T00:00:00Z",
		"tags": []any{"a", "press"}, "scores": map[string]any{"momentum": number("12.5")}, "big": number("9007199254740993"),
		"long": number("12345678901234567890.123456789"),
	}
	dates := texts(map[string]string{"since": "date"})
	for _, call := range []struct {
		filter    string
		types     tftypes.Value
		audiences []any
		want      bool
	}{
		{"FILTER AND (EXISTS email, age > 30)", noTypes, nil, true},
		{"age > 31", noTypes, nil, false},
		{"EXISTS city", noTypes, nil, false},
		{`city = "Rome"`, noTypes, nil, false},
		{`missing BETWEEN 1 AND 2`, noTypes, nil, false},
		{"NOT missing BETWEEN 1 AND 2", noTypes, nil, false}, // it cannot be decided
		{`since > "now-30d"`, dates, nil, true},
		{`since > "now-3d"`, dates, nil, false},
		{`tags INTERSECTS ("press", "vip")`, noTypes, nil, true},
		{"scores.momentum > 12", noTypes, nil, true},
		{"vip", noTypes, nil, true},
		// Numbers keep all their digits.
		{"spend = 0.1", noTypes, nil, true},
		{"spend + 0.2 = 0.3", noTypes, nil, true},
		{"big = 9007199254740993", noTypes, nil, true},
		{"big = 9007199254740992", noTypes, nil, false},
		{"long = 12345678901234567890.123456789", noTypes, nil, true},
		{"long = 12345678901234567890.123456788", noTypes, nil, false},
		{"INCLUDE adults", noTypes, []any{texts(map[string]string{"adults": "FILTER age > 17"})}, true},
		{"NOT INCLUDE adults", noTypes, []any{texts(map[string]string{"adults": "FILTER INCLUDE old"}), texts(map[string]string{"old": "age > 90"})}, true},
		{"EXISTS email", tftypes.NewValue(tftypes.Map{ElementType: tftypes.String}, nil), nil, true},
	} {
		got, err := c.callFunction("evaluate_filter", tftypes.Bool, append([]any{call.filter, ann, call.types, noon}, call.audiences...)...)
		if err != nil || !got.Equal(tftypes.NewValue(tftypes.Bool, call.want)) {
			t.Errorf("%s: got %s, %+v; want %v", call.filter, got, err, call.want)
		}
	}
	// A map is a profile as well.
	if got, err := c.callFunction("evaluate_filter", tftypes.Bool, "EXISTS email", texts(map[string]string{"email": "a"}), noTypes, noon); err != nil ||
		!got.Equal(tftypes.NewValue(tftypes.Bool, true)) {
		t.Errorf("of a map: got %s, %+v; want true", got, err)
	}
	unknown := map[string]any{"age": tftypes.NewValue(tftypes.Number, tftypes.UnknownValue)}
	if got, err := c.callFunction("evaluate_filter", tftypes.Bool, "age > 1", unknown, noTypes, noon); err != nil || got.IsKnown() {
		t.Errorf("of an unknown field: got %s, %+v; want an unknown result", got, err)
	}
}

func TestEvaluateMapping(t *testing.T) {
	t.Parallel()
	c := newClient(t, providertest.New())
	event := map[string]any{
		"email": "Ann <ANN@Example.com>", "price": number("19.99"), "quantity": number("3"), "order_id": number("17"), "paid": true,
		"tags": []any{"b", "a"}, "note": nil, "big": number("9007199254740993"), "address": map[string]any{"city": "Rome"},
	}
	for expression, want := range map[string]any{
		"email(email)":             "ann@example.com",
		"price * quantity":         number("59.97"),
		"big":                      number("9007199254740993"),
		"map(order_id, price)":     map[string]any{"17": number("19.99")},
		"split(\"a,b\", \",\")":    []any{"a", "b"},
		"tags":                     []any{"b", "a"},
		"address":                  map[string]any{"city": "Rome"},
		"now()":                    "2026-01-31T12:00:00.000000Z",
		"eq(paid, true)":           true,
		"note":                     nil,
		"missing":                  nil,
		"todate(\"31/01/2026\")":   nil,
		"oneof(missing, quantity)": number("3"),
	} {
		got, err := c.callFunction("evaluate_mapping", tftypes.DynamicPseudoType, expression, event, noon)
		if err != nil || !got.Equal(hcl(t, want)) {
			t.Errorf("%s: got %s, %+v; want %s", expression, got, err, hcl(t, want))
		}
	}
	unknown := map[string]any{"a": tftypes.NewValue(tftypes.String, tftypes.UnknownValue)}
	if got, err := c.callFunction("evaluate_mapping", tftypes.DynamicPseudoType, "a", unknown, noon); err != nil || got.IsKnown() {
		t.Errorf("of an unknown column: got %s, %+v; want an unknown result", got, err)
	}
}

func TestEvaluationErrorsNameTheArgument(t *testing.T) {
	t.Parallel()
	c := newClient(t, providertest.New())
	profile := map[string]any{"age": "old"}
	type typed = map[string]string
	for _, call := range []struct {
		function  string
		arguments []any
		argument  int64
		want      string
	}{
		{"evaluate_filter", []any{"SELECT", profile, noTypes, noon}, 0, `(?i)filter cannot be read`},
		{"evaluate_filter", []any{"INCLUDE vip", profile, noTypes, noon}, 0, `audience vip.*fifth argument`},
		{"evaluate_filter", []any{"INCLUDE a", profile, noTypes, noon, texts(typed{"a": "INCLUDE a"})}, 0, `include one another`},
		{"evaluate_filter", []any{"*", "ann", noTypes, noon}, 1, `object or a map.*a string`},
		{"evaluate_filter", []any{"*", profile, texts(typed{"age": "int"}), noon}, 1, `age.*"old".*int`},
		{"evaluate_filter", []any{"*", profile, texts(typed{"age": "integer"}), noon}, 2, `age.*"integer".*map\[string\]int`},
		{"evaluate_filter", []any{"*", profile, noTypes, "yesterday"}, 3, `yesterday.*RFC 3339`},
		{"evaluate_filter", []any{"*", profile, noTypes, noon, texts(typed{"vip": "("})}, 4, `vip`},
		{"evaluate_mapping", []any{"emial(x)", profile, noon}, 0, `no function emial`},
		{"evaluate_mapping", []any{"x", []any{"a"}, noon}, 1, `object or a map.*a list`},
		{"evaluate_mapping", []any{"x", profile, "2026-01-31"}, 2, `2026-01-31.*RFC 3339`},
	} {
		_, err := c.callFunction(call.function, tftypes.DynamicPseudoType, call.arguments...)
		if err == nil || err.FunctionArgument == nil || *err.FunctionArgument != call.argument || !regexp.MustCompile(`(?s)`+call.want).MatchString(err.Text) {
			t.Errorf("%s%v: got %+v, want an error of argument %d that matches %q", call.function, call.arguments, err, call.argument, call.want)
		}
	}
}
