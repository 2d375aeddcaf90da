// Package arrowipc reads Arrow's IPC messages and checks them completely before it returns
// them: every offset, length and count against the bytes that are there.
//
// The driver reads the same messages with Arrow v12, whose reader believes them: a length
// prefix of 128 TiB is an allocation of 128 TiB, which ends the process, and recover does
// not help. So package databricks passes no message to the driver that this package did not
// accept, and reads the batches of an import here, without Arrow v12. Two limits follow from
// that purpose:
//
//   - A type that the driver does not read is refused, and so are dictionaries, which
//     Databricks does not send.
//   - Compressed bodies are refused. This client does not offer to read them, and the length
//     of a decompressed body is only known after it was decompressed.
//
// The package imports nothing of Arrow, so that a defect there cannot be a defect here.
package arrowipc
