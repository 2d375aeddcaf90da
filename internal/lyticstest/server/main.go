// The server command runs the stand-in for Lytics until it is interrupted:
//
//	go run ./internal/lyticstest/server
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	o := lyticstest.Options{}
	flag.StringVar(&o.APIAddress, "api", "127.0.0.1:8087", "where the API listens")
	flag.StringVar(&o.BulkAddress, "bulk", "127.0.0.1:8088", "where bulk uploads are taken")
	flag.StringVar(&o.Token, "token", rand.Text(), "the API token")
	flag.StringVar(&o.AccountID, "account", "", "the only account_id that is known")
	flag.BoolVar(&o.Patches, "patches", false, "change the schema by patches")
	flag.Parse()
	s, err := lyticstest.New(o)
	if err != nil {
		return err
	}
	fmt.Printf(`A stand-in for Lytics is running; its events and profiles are gone when it ends.

  export LYTICS_API_TOKEN=%s
  export LYTICS_API_URL=%s
  export LYTICS_BULK_URL=%s

  provider "lytics" {
    platform = { lytics = {} }
  }

Press Ctrl-C to end it.
`, o.Token, s.APIURL, s.BulkURL)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
	return s.Close()
}
