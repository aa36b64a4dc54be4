package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/output"
)

// Exit codes, a contract with scripts.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError says that Cassini was called or configured wrongly.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errSilent is a failure that has been told already.
var errSilent = errors.New("failed")

// report tells an error and chooses the exit code.
func report(w io.Writer, cmd *cobra.Command, err error) int {
	_, usage := errors.AsType[usageError](err)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errSilent):
		return exitFailed
	case usage:
		text := strings.ReplaceAll(err.Error(), "\n", " ")
		fmt.Fprintf(w, "%s: %s; see '%[1]s --help'\n", cmd.CommandPath(), output.Clean(text))
		return exitUsage
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(w, "%s: interrupted\n", cmd.CommandPath())
		return exitFailed
	}
	for i, line := range strings.Split(strings.TrimRight(err.Error(), "\n"), "\n") {
		if i == 0 {
			line = cmd.CommandPath() + ": " + line
		}
		fmt.Fprintln(w, output.Clean(line))
	}
	return exitFailed
}
