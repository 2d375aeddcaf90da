package config

import (
	"bytes"
	"errors"

	"github.com/goccy/go-yaml"
)

// Transfer returns the configuration with its secrets in clear, for a process that
// this one starts. It must not be written to a file or a log.
func (c Runner) Transfer() ([]byte, error) {
	text, err := yaml.MarshalWithOptions(c,
		yaml.JSON(),
		yaml.CustomMarshaler(func(s Secret) ([]byte, error) { return yaml.MarshalWithOptions(s.Reveal(), yaml.JSON()) }),
		nilList[string](), nilList[Token]())
	if err != nil {
		// The error of the encoder may repeat a value.
		return nil, errors.New("the configuration cannot be encoded")
	}
	return text, nil
}

// nilList keeps a list that is left out apart from an empty list, which is another
// setting.
func nilList[T any]() yaml.EncodeOption {
	return yaml.CustomMarshaler(func(list []T) ([]byte, error) {
		if list == nil {
			return []byte("null"), nil
		}
		type plain []T
		return yaml.MarshalWithOptions(plain(list), yaml.JSON())
	})
}

// Received reads what Transfer returned. The configuration is complete.
func Received(text []byte) (Runner, error) {
	var c Runner
	decoder := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict(), yaml.DisallowUnknownField())
	if err := decoder.Decode(&c); err != nil {
		return c, errors.New("the configuration cannot be decoded: " + yaml.FormatError(err, false, false))
	}
	return c, nil
}
