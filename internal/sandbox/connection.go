package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/s3"
)

// connection holds what a client needs to connect. It is printed, and written to
// the ready file.
type connection struct {
	// Host includes the scheme: clients assume https for a bare name.
	Host     string `json:"host"`
	Port     int    `json:"port"`
	HTTPPath string `json:"http_path"`
	Token    string `json:"token"`
	// ClientID and ClientSecret belong to the service principal.
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	URL          string `json:"url"`
	Warehouse    string `json:"warehouse_id"`
	// CAFile is the certificate authority's file, with -tls.
	CAFile string `json:"ca_file,omitempty"`
	// AdminURL is empty with -admin=false.
	AdminURL string `json:"admin_url,omitempty"`
	// SparkURL is the Thrift server behind -engine spark.
	SparkURL string       `json:"spark_url,omitempty"`
	Data     string       `json:"data"`
	PID      int          `json:"pid"`
	S3       s3Connection `json:"s3"`
}

type s3Connection struct {
	Endpoint  string `json:"endpoint"`
	Region    string `json:"region"`
	Bucket    string `json:"bucket"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

func (c *connection) setS3(endpoint, bucket string, k objectstore.Credential) {
	c.S3 = s3Connection{Endpoint: endpoint, Region: s3.Region, Bucket: bucket, AccessKey: k.AccessKey, SecretKey: k.SecretKey}
}

// write replaces the file atomically, so that a reader never sees half of it.
func (c *connection) write(file string) error {
	text, err := json.MarshalIndent(c, "", "  ") //nolint:gosec // the sandbox's own secrets, for the user who started it
	if err != nil {
		return fmt.Errorf("write the ready file: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), ".ready-*")
	if err != nil {
		return fmt.Errorf("write the ready file: %w", err)
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.Write(append(text, '\n'))
	if closeErr := temporary.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write the ready file: %w", err)
	}
	return nil
}

func (c *connection) print(w io.Writer) {
	line := func(name, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(w, "  %-13s %s\n", name, value)
		}
	}
	_, _ = fmt.Fprintln(w, "The sandbox is ready.\n\nDatabricks SQL warehouse")
	line("host", c.Host)
	line("port", fmt.Sprint(c.Port))
	line("http_path", c.HTTPPath)
	line("token", c.Token)
	line("client_id", c.ClientID)
	line("client_secret", c.ClientSecret)
	line("ca_file", c.CAFile)
	_, _ = fmt.Fprintln(w, "\nS3")
	line("endpoint", c.S3.Endpoint)
	line("region", c.S3.Region)
	line("bucket", c.S3.Bucket)
	line("access_key", c.S3.AccessKey)
	line("secret_key", c.S3.SecretKey)
	_, _ = fmt.Fprintln(w)
	line("admin", c.AdminURL)
	line("data", c.Data)
	_, _ = fmt.Fprintln(w, "\nStop it with Ctrl-C.")
}
