package provider

import (
	"context"
	"fmt"
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// columnsOf reads an object or a map whose attributes are fields or columns. known
// is false if any part of it is unknown.
func columnsOf(v types.Dynamic, position int64) (columns map[string]value.Value, known bool, err *function.FuncError) {
	if v.IsUnknown() || v.IsUnderlyingValueUnknown() {
		return nil, false, nil
	}
	converted, known, convertErr := platformValue(v)
	if convertErr != nil {
		return nil, false, argumentError(position, convertErr)
	}
	if known && converted.Kind() != value.Map {
		return nil, false, function.NewArgumentFuncError(
			position,
			fmt.Sprintf("An object or a map is needed, such as { email = \"ann@example.com\" }; this is %s.",
				converted.Kind()),
		)
	}
	columns = map[string]value.Value{}
	for _, e := range converted.Entries() {
		columns[e.Key] = e.Value
	}
	return columns, known, nil
}

// platformValue converts a value of HCL. known is false if any part of it is
// unknown.
func platformValue(v attr.Value) (out value.Value, known bool, err error) {
	if v.IsUnknown() {
		return out, false, nil
	}
	if v.IsNull() {
		return value.OfNull(), true, nil
	}
	switch v := v.(type) {
	case types.Dynamic:
		return platformValue(v.UnderlyingValue())
	case types.String:
		return value.OfString(v.ValueString()), true, nil
	case types.Bool:
		return value.OfBool(v.ValueBool()), true, nil
	case types.Number:
		// Terraform's numbers are binary. Their shortest decimal text is what was
		// written.
		n, ok := value.ParseNumber(v.ValueBigFloat().Text('g', -1))
		if !ok {
			return out, true, fmt.Errorf("the number %s has more digits than the platform keeps", v)
		}
		return n, true, nil
	case types.List:
		return platformList(v.Elements())
	case types.Set:
		return platformList(v.Elements())
	case types.Tuple:
		return platformList(v.Elements())
	case types.Map:
		return platformMap(v.Elements())
	case types.Object:
		return platformMap(v.Attributes())
	}
	return out, true, fmt.Errorf("a value of type %T has no meaning here", v)
}

func platformList(elements []attr.Value) (value.Value, bool, error) {
	list := make([]value.Value, 0, len(elements))
	for _, e := range elements {
		v, known, err := platformValue(e)
		if err != nil || !known {
			return value.Value{}, known, err
		}
		list = append(list, v)
	}
	return value.OfList(list), true, nil
}

func platformMap(elements map[string]attr.Value) (value.Value, bool, error) {
	entries := make([]value.Entry, 0, len(elements))
	for key, e := range elements {
		v, known, err := platformValue(e)
		if err != nil || !known {
			return value.Value{}, known, err
		}
		entries = append(entries, value.Entry{Key: key, Value: v})
	}
	return value.OfMap(entries), true, nil
}

// numberBits is the precision of Terraform's own numbers.
const numberBits = 512

// hclValue converts a value of the platform. Lists become tuples and maps objects,
// since their members may differ in type.
func hclValue(ctx context.Context, v value.Value) attr.Value {
	switch v.Kind() {
	case value.Null:
		return types.DynamicNull()
	case value.Bool:
		return types.BoolValue(v.Bool())
	case value.Number:
		// The text of a number always parses.
		n, _, _ := big.ParseFloat(v.Text(), 10, numberBits, big.ToNearestEven)
		return types.NumberValue(n)
	case value.List:
		elements, elementTypes := []attr.Value{}, []attr.Type{}
		for _, e := range v.List() {
			c := hclValue(ctx, e)
			elements, elementTypes = append(elements, c), append(elementTypes, c.Type(ctx))
		}
		return types.TupleValueMust(elementTypes, elements)
	case value.Map:
		attributes, attributeTypes := map[string]attr.Value{}, map[string]attr.Type{}
		for _, e := range v.Entries() {
			c := hclValue(ctx, e.Value)
			attributes[e.Key], attributeTypes[e.Key] = c, c.Type(ctx)
		}
		return types.ObjectValueMust(attributeTypes, attributes)
	}
	return types.StringValue(v.Text())
}
