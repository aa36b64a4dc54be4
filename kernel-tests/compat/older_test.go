package compat

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// olderCommit is the last one of protocol 1: documents without numbers, uncompressed, over
// HTTP/1.1. At each release, name that release's commit here instead.
const olderCommit = "3cbd3c0d53a72280dbc5dff71de29e88083c9548"

// errNoHistory says that this checkout cannot have anything older: it is a part of the
// repository's history, or none of it.
var errNoHistory = errors.New("no history here to build anything older of; clone the repository whole (git fetch --unshallow)")

// buildOlder builds the binary of olderCommit, unless it was built before, and returns its
// path. Errors wrap errNoHistory where there is none; where there is, that commit has to be
// in it.
func buildOlder() (string, error) {
	root, err := git(".", "rev-parse", "--show-toplevel")
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoHistory, err)
	}
	if shallow, err := git(root, "rev-parse", "--is-shallow-repository"); err != nil || shallow == "true" {
		return "", errors.Join(errNoHistory, err)
	}
	commit, err := git(root, "rev-parse", "--verify", "--quiet", olderCommit+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("commit %s is not in this checkout, although it has a whole history: name one of the last release in older_test.go: %w", olderCommit, err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "cassini-compat")
	path := filepath.Join(cache, "cassini-"+commit)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(cache, "build")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	source := filepath.Join(work, "source.tar")
	if _, err := git(root, "archive", "--output", source, commit); err != nil {
		return "", err
	}
	if _, err := run(work, "tar", "xf", source); err != nil {
		return "", err
	}
	made := filepath.Join(work, "cassini")
	if _, err := run(work, "go", "build", "-trimpath", "-buildvcs=false", "-o", made, "./cmd/cassini"); err != nil {
		return "", err
	}
	return path, os.Rename(made, path)
}

func git(dir string, args ...string) (string, error) { return run(dir, "git", args...) }

func run(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
