package provider_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// upgradedAttributes are the attributes whose value an upgrade changes, by fixture.
var upgradedAttributes = map[string][]string{
	"lytics_databricks_table_import.v0": {"triggers"},
}

// checklist 9: there is the state of each version of each schema, and it is read with all
// values that the current schema has. An attribute that is taken away or changes its type
// needs a new version, an upgrade and one more fixture; the older ones stay.
func TestStateOfEachVersionIsRead(t *testing.T) {
	t.Parallel()
	c := newClient(t, providertest.New())
	for resource, schema := range c.schema.ResourceSchemas {
		for version := range schema.Version + 1 {
			name := fmt.Sprintf("%s.v%d", resource, version)
			document, err := os.ReadFile(filepath.Join("testdata", "state", name+".json"))
			if err != nil {
				t.Errorf("each version of a schema needs a fixture: %v", err)
				continue
			}
			checkUpgraded(t, c, resource, name, version, document)
			if version == schema.Version {
				checkAttributes(t, schema.Block.Attributes, name, document)
			}
		}
	}
}

// checkUpgraded compares the upgraded state with the values of the fixture.
func checkUpgraded(t *testing.T, c *client, resource, name string, version int64, document []byte) {
	t.Helper()
	resp, err := c.server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{
		TypeName: resource, Version: version, RawState: &tfprotov6.RawState{JSON: document},
	})
	if err != nil || failed(resp.Diagnostics) {
		t.Errorf("%s: %v, %q", name, err, messages(resp.Diagnostics))
		return
	}
	v, err := (&tfprotov6.RawState{JSON: document}).UnmarshalWithOpts(c.typ(resource), tfprotov6.UnmarshalOpts{
		ValueFromJSONOpts: tftypes.ValueFromJSONOpts{IgnoreUndefinedAttributes: true},
	})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var got, want map[string]tftypes.Value
	if err := c.value(resource, resp.UpgradedState).As(&got); err != nil {
		t.Fatal(err)
	}
	if err := v.As(&want); err != nil {
		t.Fatal(err)
	}
	for _, changed := range upgradedAttributes[name] {
		delete(want, changed)
	}
	for attribute, w := range want {
		if !got[attribute].Equal(w) {
			t.Errorf("%s: %s is %s, want %s", name, attribute, got[attribute], w)
		}
	}
}

// checkAttributes checks that the schema still has all that the fixture has.
func checkAttributes(t *testing.T, attributes []*tfprotov6.SchemaAttribute, name string, document []byte) {
	t.Helper()
	var fixture map[string]json.RawMessage
	if err := json.Unmarshal(document, &fixture); err != nil {
		t.Fatal(err)
	}
	for attribute := range fixture {
		if named(attributes, attribute) == nil {
			t.Errorf("the schema has no %s, which %s has: raise its version, and keep the fixture", attribute, name)
		}
	}
}
