package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/buildinfo"
	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/config"
	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Formats of an answer.
const (
	formatTable  = "table"
	formatJSON   = "json"
	formatDOT    = "dot"
	formatSQLite = "sqlite"
)

// graphFormats are those of a graph, of which all but the first two come from the API as
// they are shown.
func graphFormats() []string {
	return []string{formatTable, formatJSON, formatDOT, "graphml", "cytoscape", "jsonl", "nodes-csv", "edges-csv", formatSQLite}
}

// exported says whether an answer is shown as the API writes it.
func (a *asker) exported() bool {
	return a.format.value != formatTable && a.format.value != formatJSON
}

// checkBinary refuses to write a file to a terminal.
func (a *asker) checkBinary(cmd *cobra.Command) error {
	if a.format.value == formatSQLite && output.IsTerminal(a.stdout) {
		return usagef("-o sqlite is a file: %s -o sqlite > estate.db", cmd.CommandPath())
	}
	return nil
}

// asker is what the commands that ask the API have in common: where it is, and
// how to show the answer.
type asker struct {
	*system
	api    string
	creds  credentials
	format *enum
	// lacking says why an answer is empty, where that is a mistake of the question: nothing is
	// as reassuring as the empty answer about a host whose name is misspelt. Nil before a
	// command runs.
	lacking func() error
}

// newAsker adds the common flags to a command. run is called with the settings
// settled and a client that is closed after it.
func newAsker(cmd *cobra.Command, sys *system, formats []string, run func(context.Context, *client.Client, []string) error) *asker {
	a := &asker{system: sys}
	cmd.GroupID = groupAsk
	cmd.Flags().StringVar(&a.api, "api", client.DefaultURL, "`URL` of the API")
	a.format = addEnum(cmd, "output", "o", "how to show the answer", formats...)
	config.Mark(cmd.Flags(), "api", "output")
	a.creds.addFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := settle(cmd, sys); err != nil {
			return err
		}
		if err := a.checkBinary(cmd); err != nil {
			return err
		}
		c, err := a.client()
		if err != nil {
			return err
		}
		defer c.Close()
		a.lacking = func() error { return lackingHost(cmd, c) }
		return run(cmd.Context(), c, args)
	}
	return a
}

// lackingHost says that there is no host of the name in --host.
func lackingHost(cmd *cobra.Command, c *client.Client) error {
	flag := cmd.Flags().Lookup("host")
	if flag == nil || flag.Value.String() == "" {
		return nil
	}
	var at time.Time
	if past := cmd.Flags().Lookup("at"); past != nil {
		if f, ok := past.Value.(*atFlag); ok {
			at = f.Time
		}
	}
	name := flag.Value.String()
	_, err := c.Node(cmd.Context(), client.Query{}.With("id", model.KindHost+":"+name).At(at))
	if p, ok := errors.AsType[*client.Problem](err); ok && p.Status == http.StatusNotFound {
		return fmt.Errorf("no host is called %q; 'cassini hosts' shows all", name)
	}
	return nil // the answer is there, and this only explains it
}

// none says that there is nothing to show.
func (a *asker) none(text string) error {
	if a.lacking != nil {
		if err := a.lacking(); err != nil {
			return err
		}
	}
	fmt.Fprintln(a.stderr, text)
	return nil
}

func (a *asker) client() (*client.Client, error) {
	cfg := client.Config{UserAgent: "cassini/" + buildinfo.Read().Version, Warn: a.warn}
	address, err := a.creds.settle(a.system, a.api, &cfg)
	if err != nil {
		return nil, err
	}
	c, err := client.New(address, cfg)
	if err != nil {
		return nil, usagef("--api/CASSINI_API: %w", err)
	}
	return c, nil
}

// warn tells something on the side.
func (a *asker) warn(text string) {
	term := output.Detect(a.stderr, a.getenv)
	fmt.Fprintln(a.stderr, term.Paint(output.Yellow, "warning: "+output.Clean(text)))
}

// table shows a table, or says that there is nothing to show.
func (a *asker) table(t *output.Table, none string) error {
	if t.Len() == 0 {
		return a.none(none)
	}
	return t.Write(a.stdout, a.terminal())
}

// atFlag is a moment: RFC 3339, or a duration back from now ("10m").
type atFlag struct {
	time.Time
	now func() time.Time
}

func addAt(cmd *cobra.Command, sys *system) *atFlag {
	at := &atFlag{now: sys.now}
	cmd.Flags().Var(at, "at", "a past moment, as 2026-11-20T19:26:03Z, 2026-11-20 19:26 of this machine's zone, or 10m for ten minutes ago")
	return at
}

func (f *atFlag) String() string {
	if f.IsZero() {
		return ""
	}
	return f.Format(time.RFC3339Nano)
}

func (f *atFlag) Type() string { return "time" }

func (f *atFlag) Set(s string) (err error) {
	f.Time, err = parseMoment(s, f.now())
	return err
}

// newList is a command that shows all there is of something: GET /api/v1/PATH.
func newList[T any](cmd *cobra.Command, sys *system, path string, table func(*asker, []T) *output.Table, none string) *cobra.Command {
	cmd.Args = noArgs
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		list, err := client.List[T](ctx, c, path)
		return answer(a, list, err, func(list []T) *output.Table { return table(a, list) }, none)
	})
	return cmd
}

// tell has the manager do something, and shows what it answers: as JSON, or as said.
func tell[T any](ctx context.Context, a *asker, c *client.Client, path string, order any, said func(T) error) error {
	var told T
	if err := c.Tell(ctx, path, order, &told); err != nil {
		return err
	}
	if a.format.value == formatJSON {
		return output.JSON(a.stdout, told)
	}
	return said(told)
}

// say writes one line.
func (a *asker) say(text string) error {
	_, err := fmt.Fprintln(a.stdout, output.Clean(text))
	return err
}

// answer writes a list in the format that was asked for.
func answer[T any](a *asker, list []T, err error, table func([]T) *output.Table, none string) error {
	if err != nil {
		return err
	}
	if a.format.value == formatJSON {
		return output.JSONArray(a.stdout, list)
	}
	return a.table(table(list), none)
}
