package store

import "errors"

// ErrUndecided means that the commit of a transaction on SQLite failed. This process
// and those beside it see the store without the transaction. But its pages may be in
// the write-ahead log: if all of them end before the next commit overwrites the pages,
// whoever opens the store then finds the transaction committed. Files that the
// transaction refers to must stay until then.
var ErrUndecided = errors.New("the commit failed, and its outcome is open until the next commit")

// undecidedError is the error of such a commit.
type undecidedError struct{ error }

func (e undecidedError) Unwrap() error { return e.error }

func (undecidedError) Is(target error) bool { return target == ErrUndecided }
