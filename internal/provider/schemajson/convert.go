package main

import (
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func schemaOf(s *tfprotov6.Schema) any {
	return map[string]any{"version": s.Version, "block": map[string]any{
		"attributes":       attributesOf(s.Block.Attributes),
		"description":      s.Block.Description,
		"description_kind": kindOf(s.Block.DescriptionKind),
	}}
}

func attributesOf(list []*tfprotov6.SchemaAttribute) map[string]any {
	out := map[string]any{}
	for _, a := range list {
		v := map[string]any{
			"description":      a.Description,
			"description_kind": kindOf(a.DescriptionKind),
			"required":         a.Required,
			"optional":         a.Optional,
			"computed":         a.Computed,
			"sensitive":        a.Sensitive,
			"write_only":       a.WriteOnly,
			"deprecated":       a.Deprecated,
		}
		if n := a.NestedType; n != nil {
			v["nested_type"] = map[string]any{"attributes": attributesOf(n.Attributes), "nesting_mode": nestingOf(n.Nesting)}
		} else {
			v["type"] = typeOf(a.Type)
		}
		out[a.Name] = v
	}
	return out
}

func identityOf(s *tfprotov6.ResourceIdentitySchema) any {
	attributes := map[string]any{}
	for _, a := range s.IdentityAttributes {
		attributes[a.Name] = map[string]any{
			"type": typeOf(a.Type), "description": a.Description,
			"required_for_import": a.RequiredForImport, "optional_for_import": a.OptionalForImport,
		}
	}
	return map[string]any{"version": s.Version, "attributes": attributes}
}

func functionOf(f *tfprotov6.Function) any {
	parameters := []any{}
	for _, p := range f.Parameters {
		parameters = append(parameters, map[string]any{"name": p.Name, "description": p.Description, "type": typeOf(p.Type)})
	}
	return map[string]any{"summary": f.Summary, "description": f.Description, "return_type": typeOf(f.Return.Type), "parameters": parameters}
}

func kindOf(k tfprotov6.StringKind) string {
	if k == tfprotov6.StringKindMarkdown {
		return "markdown"
	}
	return "plain"
}

func nestingOf(m tfprotov6.SchemaObjectNestingMode) string {
	return map[tfprotov6.SchemaObjectNestingMode]string{
		tfprotov6.SchemaObjectNestingModeSingle: "single",
		tfprotov6.SchemaObjectNestingModeList:   "list",
		tfprotov6.SchemaObjectNestingModeSet:    "set",
		tfprotov6.SchemaObjectNestingModeMap:    "map",
	}[m]
}

// typeOf gives a type as cty writes it: "string", or ["list", "string"].
func typeOf(t tftypes.Type) any {
	switch t := t.(type) {
	case tftypes.List:
		return []any{"list", typeOf(t.ElementType)}
	case tftypes.Set:
		return []any{"set", typeOf(t.ElementType)}
	case tftypes.Map:
		return []any{"map", typeOf(t.ElementType)}
	case tftypes.Object:
		return []any{"object", each(t.AttributeTypes, typeOf)}
	}
	for _, p := range []struct {
		t    tftypes.Type
		name string
	}{{tftypes.String, "string"}, {tftypes.Number, "number"}, {tftypes.Bool, "bool"}} {
		if t.Is(p.t) {
			return p.name
		}
	}
	return "dynamic"
}
