package config_test

import (
	"reflect"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
)

// fill sets every field of a structure, so that a field that is added later is tried too.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[config.Secret]() {
			v.Set(reflect.ValueOf(config.NewSecret("secret " + text)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), text)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), text)
		fill(v.Index(1), text)
	case reflect.String:
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	}
}

func TestAConfigurationArrivesAsItWasSent(t *testing.T) {
	t.Parallel()
	configurations := map[string]config.Runner{"empty": {}}
	for _, text := range []string{"plain", "", "~", "null", "0123", "yes", ": #'\"\\", "two\nlines\r\n", "\t tab ", "äöü 日本 😀", "{a: b}", "- x", "*a &b !c %d @e `f"} {
		var c config.Runner
		fill(reflect.ValueOf(&c).Elem(), text)
		configurations["filled with "+text] = c
	}
	var c config.Runner
	c.Platform = &config.Platform{Embedded: &config.Embedded{PlaceholderIdentifiers: []string{}}}
	configurations["an empty list"] = c
	for name, want := range configurations {
		text, err := want.Transfer()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := config.Received(text)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v\n%s", name, got, want, text)
		}
	}
}
