package databricks_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// checklist 50.
func TestValidateHost(t *testing.T) {
	t.Parallel()
	cases := []struct {
		host string
		// public and private are the expected results without and with
		// allow_private_hosts; loopback hosts with a scheme are accepted in definitions
		// of earlier releases.
		public, private bool
	}{
		{"dbc-a1b2345c-d6e7.cloud.databricks.com", true, true},
		{"adb-1234567890123456.7.azuredatabricks.net", true, true},
		{"ADB-1.2.AzureDatabricks.net.", true, true},
		{"1234567890123456.7.gcp.databricks.com", true, true},
		{"dbc-1.cloud.databricks.us", true, true},
		{"adb-1.2.databricks.azure.cn", true, true},
		{"https://dbc-1.cloud.databricks.com/", true, true},
		{"http://127.0.0.1", true, true},
		{"http://localhost", true, true},
		{"https://localhost", true, true},
		{"http://[::1]", true, true},

		{"127.0.0.1", false, true},
		{"localhost", false, true},
		{"warehouse.example.com", false, true},
		{"http://warehouse.example.com", false, true},
		{"http://dbc-1.cloud.databricks.com", false, true},
		{"http://10.0.0.7", false, true},
		{"10.0.0.7", false, true},
		{"databricks.com.example.org", false, true},
		{"evildatabricks.com", false, true},
		{"http://2130706434", true, true}, // 127.0.0.2 as an integer

		{"", false, false},
		{"ftp://dbc-1.cloud.databricks.com", false, false},
		{"dbc-1.cloud.databricks.com/sql", false, false},
		{"dbc-1.cloud.databricks.com:443", false, false},
		{"user@dbc-1.cloud.databricks.com", false, false},
		{"dbc-1.cloud.databricks.com?o=1", false, false},
		{"dbc 1.cloud.databricks.com", false, false},
		{"dbc-1\u0083.example.com", false, false},
		{"münchen.example.com", false, false},
		{"dbc-1.cloud.databricks.com\n", false, false},
		{"http://169.254.169.254", false, false},
		{"http://0xA9FEA9FE", false, false},
		{"http://2852039166", false, false},
		{"http://169.254.43518", false, false},
		{"http://[::ffff:169.254.169.254]", false, false},
		{"http://[64:ff9b::a9fe:a9fe]", false, false},
		{"http://[fe80::1]", false, false},
		{"http://[fd00:ec2::254]", false, false},
		{"http://metadata.google.internal", false, false},
		{"http://0.0.0.0", false, false},
		{"http://0", false, false},
		{"100.100.100.200", false, false},
		{"168.63.129.16", false, false},
	}
	for _, c := range cases {
		t.Run(c.host, func(t *testing.T) {
			t.Parallel()
			for _, allow := range []bool{false, true} {
				want := c.public
				if allow {
					want = c.private
				}
				err := databricks.Config{Host: c.host, AllowPrivateHosts: allow, LoopbackHosts: true}.ValidateHost()
				if (err == nil) != want {
					t.Errorf("allow private hosts %t: err = %v, want accepted %t", allow, err, want)
				}
				if e, ok := errors.AsType[*jobs.Error](err); err != nil && (!ok || e.Attribute != "host" || e.Next == "") {
					t.Errorf("the error does not name the host and a next step: %#v", err)
				}
			}
		})
	}
}

// checklist 50: hosts of one's own are opened one by one by the operator's list, and not
// by the definition.
func TestOnlyTheOperatorOpensAHostOfItsOwn(t *testing.T) {
	t.Parallel()
	listed, err := egress.ParseHosts([]string{"127.0.0.1", "::1", "warehouse.internal", "169.254.169.254"})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{
		"http://127.0.0.1": true, "http://0x7f000001": true, "127.0.0.1": true, "http://[::1]": true, "[::1]": true,
		"warehouse.internal": true, "http://Warehouse.internal": true,
		"http://127.0.0.2": false, "http://localhost": false, "10.0.0.7": false, "other.internal": false, "http://169.254.169.254": false,
	} {
		if err := (databricks.Config{Host: host, PrivateHosts: listed}).ValidateHost(); (err == nil) != want {
			t.Errorf("%s with a list: got %v, want accepted %t", host, err, want)
		}
		err := databricks.Config{Host: host}.ValidateHost()
		if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Attribute != "host" || host[len(host)-3:] != "254" && !strings.Contains(e.Next, "private_hosts: [") {
			t.Errorf("%s without a list: got %v, want an error of the host with the line to add", host, err)
		}
	}
}

// A password in a host is not repeated.
func TestAHostWithAUserIsRefusedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"https://user:canary@dbc-1.cloud.databricks.com", "canary@dbc-1.cloud.databricks.com", "http://canary:x@127.0.0.1", "http://%zz:canary@h"} {
		err := databricks.Config{Host: host, AllowPrivateHosts: true}.ValidateHost()
		if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Attribute != "host" || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v", host, err)
		}
	}
}

func FuzzValidateHost(f *testing.F) {
	f.Add("http://127.0.0.1", true)
	f.Add("dbc-1.cloud.databricks.com", false)
	f.Fuzz(func(_ *testing.T, host string, allow bool) {
		_ = databricks.Config{Host: host, AllowPrivateHosts: allow, LoopbackHosts: allow}.ValidateHost()
	})
}
