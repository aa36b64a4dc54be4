package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// failuresKept is how many failed machines' logs are kept beside the last run's.
const failuresKept = 10

// keep copies the logs of a machine that failed to a directory that the next run does
// not clear, and drops the oldest there. A failure that comes once in many runs would be
// lost otherwise.
func (p ports) keep(dir string, now time.Time) error {
	to := filepath.Join(dir, now.UTC().Format("20060102-150405.000"))
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("keep the logs of a failure: %w", err)
	}
	for _, name := range []string{p.console, p.output} {
		data, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, filepath.Base(name)), data, 0o644)
		}
		if err != nil {
			return fmt.Errorf("keep the logs of a failure: %w", err)
		}
	}
	return prune(dir)
}

// prune drops the oldest beyond those that are kept; names sort by time.
func prune(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("drop old logs: %w", err)
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	var failed error
	for _, name := range names[:max(0, len(names)-failuresKept)] {
		failed = errors.Join(failed, os.RemoveAll(filepath.Join(dir, name)))
	}
	return failed
}
