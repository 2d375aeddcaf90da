// Package tcli is the Thrift interface of a Databricks SQL warehouse, generated
// from TCLIService.thrift with thrift-compiler 0.17.0.
package tcli

//go:generate thrift --gen go:skip_remote -out .. TCLIService.thrift
//go:generate gofmt -w .
