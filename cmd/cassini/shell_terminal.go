package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/peterh/liner"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/shell"
)

// terminal is a line editor whose history outlives it.
type terminal struct {
	*liner.State
	history string
}

// openTerminal makes the line editor. The names to complete are asked for once,
// when they are first needed.
func openTerminal(ctx context.Context, s *session) (*terminal, error) {
	t := &terminal{State: liner.NewLiner(), history: shell.HistoryPath(s.getenv)}
	t.SetCtrlCAborts(true)
	t.SetTabCompletionStyle(liner.TabPrints)
	var names *shell.Names
	t.SetWordCompleter(func(line string, position int) (string, []string, string) {
		if names == nil {
			names = s.names(ctx)
		}
		return names.Complete(line, position)
	})
	if t.history == "" {
		return t, nil
	}
	f, err := os.Open(t.history)
	if err == nil {
		defer f.Close()
		_, err = t.ReadHistory(f)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.warn("the history cannot be read: " + err.Error())
	}
	return t, nil
}

// Close keeps the history and gives the terminal back.
func (t *terminal) Close() error {
	return errors.Join(t.keep(), t.State.Close())
}

func (t *terminal) keep() error {
	if t.history == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(t.history), 0o700); err != nil {
		return fmt.Errorf("keep history: %w", err)
	}
	f, err := os.OpenFile(t.history, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("keep history: %w", err)
	}
	_, err = t.WriteHistory(f)
	return errors.Join(err, f.Close())
}

// names asks what there is in the graph. Without an answer in time nothing of it
// is completed.
func (s *session) names(ctx context.Context) *shell.Names {
	ctx, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	ask := func(query string) (list []string) {
		answer, err := s.client.Ask(ctx, client.Question{Query: query})
		if err != nil {
			return nil
		}
		for _, row := range answer.Rows {
			if name, ok := row[0].(string); ok {
				list = append(list, name)
			}
		}
		return list
	}
	return &shell.Names{
		Labels: ask("MATCH (n) UNWIND labels(n) AS l RETURN DISTINCT l"),
		Types:  ask("MATCH ()-[r]->() RETURN DISTINCT type(r)"),
		Properties: ask("MATCH (n) UNWIND keys(n) AS k RETURN DISTINCT k " +
			"UNION MATCH ()-[r]->() UNWIND keys(r) AS k RETURN DISTINCT k"),
	}
}
