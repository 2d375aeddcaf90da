// Command terraform-provider-lytics is the Terraform provider for Lytics and
// Databricks. With arguments it is the command line.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/cli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/terminal"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/worker"
)

// version is set by the release build.
var version = "dev"

func main() {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-debug") && !strings.HasPrefix(os.Args[1], "--debug") {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := cli.Run(ctx, os.Args[1:], cli.Program{
			Version: version, Open: open, LookupEnv: os.LookupEnv, Worker: worker.Command(worker.Executable, cli.WorkerCommand),
		}, os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	debug := flag.Bool("debug", false, "serve a debugger: print TF_REATTACH_PROVIDERS and wait")
	flag.Parse()
	if !*debug {
		go exitWithParent(os.Getppid())
		if err := sendOnlyLogsThatTerraformKeeps(); err != nil {
			log.Fatal(err)
		}
		collectSmallHeapsLess()
	}
	factory, stop := newProvider(version)
	var options []tf6server.ServeOpt
	if *debug {
		options = append(options, tf6server.WithManagedDebug())
	}
	err := tf6server.Serve("registry.terraform.io/terraform-provider-lytics/lytics",
		func() tfprotov6.ProviderServer { return provider.NewServer(factory()) }, options...)
	if err := errors.Join(err, stop()); err != nil {
		log.Fatal(terminal.Text(redact.Text(err.Error())))
	}
}
