package egress

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// ReadFile reads a file that a definition names, of at most so many bytes: a credential, or
// certificate authorities. It fails for what is no regular file, because a pipe or a device
// would block or never end. The errors have nothing of the content.
func ReadFile(path string, most int64) ([]byte, error) {
	// Without O_NONBLOCK, opening a pipe waits for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file: a directory, a pipe or a device is no regular file", path)
	}
	// A file can be larger than its size says.
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > most {
		return nil, fmt.Errorf("%s is larger than %s", path, size(most))
	}
	return content, nil
}
