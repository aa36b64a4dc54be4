package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/peterh/liner"
	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/shell"
)

func newShell(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "shell",
		Short: "Ask the graph in openCypher, line by line",
		Long: "Ask the graph in openCypher, line by line, with history and completion. A query ends\n" +
			"where it is whole, at a semicolon or at an empty line. Commands begin with a colon;\n" +
			":help lists them. The history is in $XDG_STATE_HOME/cassini/query_history.",
		Example: "  cassini shell\n  cassini shell --at 1h",
		Args:    noArgs,
	}
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON, formatCSV}, func(ctx context.Context, c *client.Client, _ []string) error {
		s := &session{asker: a, client: c, at: at, params: paramFlag{}}
		lines, err := openTerminal(ctx, s)
		if err != nil {
			return err
		}
		defer lines.Close()
		return s.run(ctx, lines)
	})
	return cmd
}

// lineReader is where lines come from.
type lineReader interface {
	Prompt(prompt string) (string, error)
	AppendHistory(item string)
}

// session is one run of the shell.
type session struct {
	*asker
	client *client.Client
	at     *atFlag
	params paramFlag
}

const (
	prompt     = "cassini> "
	promptMore = "    ...> "
)

// run reads and answers until the input ends.
func (s *session) run(ctx context.Context, lines lineReader) error {
	for {
		text, err := s.read(lines)
		switch {
		case errors.Is(err, liner.ErrPromptAborted):
			continue // a line that was given up
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read line: %w", err)
		case text == "":
			continue
		}
		lines.AppendHistory(shell.OneLine(text))
		if strings.HasPrefix(text, ":") {
			if quit := s.command(text); quit {
				return nil
			}
			continue
		}
		err = s.query(ctx, s.client, client.Question{Query: text, Params: s.params, At: pointer(s.at.Time)})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			fmt.Fprintln(s.stderr, cleanLines(err.Error()))
		}
	}
}

func cleanLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = output.Clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

// read reads lines until they are a whole query or command.
func (s *session) read(lines lineReader) (string, error) {
	text, err := lines.Prompt(prompt)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(strings.TrimSpace(text), ":") {
		return strings.TrimSpace(text), nil
	}
	for !shell.Whole(text) {
		more, err := lines.Prompt(promptMore)
		if errors.Is(err, io.EOF) {
			break // what there is must do
		}
		if err != nil {
			return "", err
		}
		text += "\n" + more
		if strings.TrimSpace(more) == "" {
			break
		}
	}
	return strings.TrimSpace(text), nil
}

// command does what a line with a colon says.
func (s *session) command(line string) (quit bool) {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	var err error
	switch word {
	case ":quit", ":exit", ":q":
		return true
	case ":help":
		fmt.Fprint(s.stdout, shellHelp)
	case ":param":
		if !strings.Contains(rest, "=") { // :param name value
			rest = strings.Replace(rest, " ", "=", 1)
		}
		err = s.params.Set(rest)
	case ":params":
		for _, name := range slices.Sorted(maps.Keys(s.params)) {
			fmt.Fprintf(s.stdout, "%s = ", output.Clean(name))
			err = errors.Join(err, output.JSONLine(s.stdout, s.params[name]))
		}
	case ":at":
		if rest == "" || rest == "now" {
			s.at = &atFlag{now: s.now}
		} else {
			err = s.at.Set(rest)
		}
	case ":format":
		err = s.format.Set(rest)
	default:
		err = fmt.Errorf("unknown command %s; :help lists them", word)
	}
	if err != nil {
		fmt.Fprintln(s.stderr, cleanLines(err.Error()))
	}
	return false
}

const shellHelp = `:at TIME        ask about a past moment, as 10m or 2026-11-20T19:26:03Z; :at now ends that
:format FORMAT  table, json or csv
:param NAME=VALUE  set a parameter, in JSON or else text; :params shows them
:quit           end (also Ctrl-D)
EXPLAIN QUERY   show how a query would run
`
