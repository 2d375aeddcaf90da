package ownership

// Directory checks nothing on Windows.
func Directory(string) error { return nil }

// PrivateFile checks nothing on Windows.
func PrivateFile(string) error { return nil }
