package egress_test

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
)

// checklist 50: a list of hosts contains what it says, in every spelling, and nothing
// else.
func TestHosts(t *testing.T) {
	t.Parallel()
	hosts, err := egress.ParseHosts([]string{"Warehouse.internal.", "127.0.0.1", "10.20.0.0/16", "[::1]", "fd12:3456::/32", "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"warehouse.internal": true, "127.0.0.1": true, "0x7f000001": true, "::ffff:127.0.0.1": true, "10.20.255.1": true, "::1": true,
		"0:0:0:0:0:0:0:1": true, "fd12:3456::7": true, "localhost": true,
		"other.internal": false, "warehouse.internal.example.com": false, "127.0.0.2": false, "10.21.0.1": false, "::2": false, "": false,
	} {
		if got := hosts.Contain(name); got != want {
			t.Errorf("%q: got %t, want %t", name, got, want)
		}
	}
	if (egress.Hosts{}).Contain("127.0.0.1") {
		t.Error("an empty list has a host")
	}
	for _, entry := range []string{"", "http://127.0.0.1", "127.0.0.1:8080", "a/b", "*.internal", "10.0.0.0/40", "user@host", "a b"} {
		if _, err := egress.ParseHosts([]string{entry}); err == nil {
			t.Errorf("%q was accepted", entry)
		}
	}
}
