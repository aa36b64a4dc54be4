package kmod

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// unpackers are the programs that undo what distributions do to modules.
var unpackers = map[string][]string{
	".xz":  {"xz", "--decompress", "--stdout"},
	".zst": {"zstd", "--decompress", "--stdout", "--quiet"},
	".gz":  {"gzip", "--decompress", "--stdout"},
}

func unpack(file string) ([]byte, error) {
	for suffix, command := range unpackers {
		if strings.HasSuffix(file, suffix) {
			return pipe(file, command)
		}
	}
	return os.ReadFile(file)
}

func pipe(file string, command []string) ([]byte, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	var stderr bytes.Buffer
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stderr = in, &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("unpack %s with %s: %w %s", file, command[0], err, stderr.String())
	}
	return out, nil
}
