package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

func newEvents(sys *system) *cobra.Command {
	var follow bool
	var kind, host, since string
	var limit int
	cmd := &cobra.Command{
		Use:     "events",
		Short:   "Show what changed, and with -f what changes",
		Long:    "Show what changed, oldest first, and with -f what changes as it happens. With\n-o json each event is one line.",
		Example: "  cassini events -f\n  cassini events --kind service.ended --since 1h",
		Args:    noArgs,
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on as events happen")
	cmd.Flags().StringVar(&kind, "kind", "", "only events of this `kind`, such as service.started")
	cmd.Flags().StringVar(&host, "host", "", "only events of this `host`")
	cmd.Flags().StringVar(&since, "since", "", "only events after this `moment`: an event's id, a time as 2026-11-20T19:26:03Z, or 10m for ten minutes ago")
	cmd.Flags().IntVar(&limit, "limit", 0, "at most so many of the latest `events` (default 100)")
	complete := cobra.FixedCompletions(model.EventKinds(), cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc("kind", complete); err != nil {
		panic(err) // a typo in the source
	}
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		behind, err := a.sinceID(since)
		if err != nil {
			return err
		}
		query := client.Query{}.With("kind", kind).With("host", host).With("since", behind)
		if follow && limit != 0 {
			return usagef("--limit cannot be combined with --follow")
		}
		if follow {
			return c.Follow(ctx, query, a.event)
		}
		return a.events(ctx, c, query.Number("limit", limit))
	})
	return cmd
}

func newHistory(sys *system) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:     "history NODE",
		Short:   "Show what happened to a node, from the log's beginning",
		Long:    "Show what happened to a host, a service, an interface or whatever node, and to the\ndependencies that it is an end of, from the beginning of the log on. The history of a\nhost is that of all that is on it, of a program that of its services too, of a switch or\na port that of the interfaces that are wired to it now.",
		Example: "  cassini history postgres\n  cassini history interface:web-17/eth0",
		Args:    wantArgs("NODE"),
	}
	cmd.Flags().IntVar(&limit, "limit", 0, "at most so many of the latest `events` (default 100)")
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		id, err := resolve(ctx, c, args[0], time.Time{})
		if err != nil {
			return err
		}
		events, err := history(ctx, c, id, limit)
		if err != nil {
			return err
		}
		return a.show(events)
	})
	cmd.ValidArgsFunction = a.completeNodes(cmd)
	return cmd
}

// history is what happened to a node and to what belongs to it.
func history(ctx context.Context, c *client.Client, id string, limit int) ([]model.Event, error) {
	const beginning = "0" // sorts before every identifier
	query := client.Query{}.With("node", id).With("since", beginning).Number("limit", limit)
	belongs, err := belonging(ctx, c, id)
	if err != nil {
		return nil, err
	}
	for _, node := range belongs {
		query = query.And("node", node)
	}
	return c.Events(ctx, query)
}

// belonging are the services of a program, and the interfaces that are wired to a switch
// or its port. What is on a host the API knows by itself.
func belonging(ctx context.Context, c *client.Client, id string) (ids []string, err error) {
	kind, _, _ := strings.Cut(id, ":")
	edge, depth := "", 0
	switch kind {
	case model.KindProcess:
		edge, depth = model.EdgeRunsAs, 1
	case model.KindSwitchPort:
		edge, depth = model.EdgeWiredTo, 1
	case model.KindSwitch:
		edge, depth = model.EdgeWiredTo, 2
	default:
		return nil, nil
	}
	around, err := c.Node(ctx, client.Query{}.With("id", id).Number("depth", depth))
	if err != nil {
		return nil, err
	}
	for _, e := range around.Edges {
		if e.Kind == edge && (e.To == id || kind == model.KindSwitch) {
			ids = append(ids, e.From)
		}
	}
	return ids, nil
}

// sinceID turns a moment into an identifier that sorts before all events of that
// moment. Identifiers begin with their time.
func (a *asker) sinceID(since string) (string, error) {
	at, err := parseMoment(since, a.now())
	switch {
	case since == "":
		return "", nil
	case err == nil:
		return at.UTC().Format("2006-01-02.15:04:05.000000") + ".-.-", nil
	case strings.Contains(since, ".") && '0' <= since[0] && since[0] <= '9':
		return since, nil // the API judges identifiers
	}
	return "", usageError{fmt.Errorf("--since %s: %w, or an event's id", since, err)}
}

func (a *asker) events(ctx context.Context, c *client.Client, q client.Query) error {
	events, err := c.Events(ctx, q)
	if err != nil {
		return err
	}
	return a.show(events)
}

func (a *asker) show(events []model.Event) error {
	if len(events) == 0 && a.format.value == formatTable {
		return a.none("no events")
	}
	for _, e := range events {
		if err := a.event(e); err != nil {
			return err
		}
	}
	return nil
}

// event shows one event.
func (a *asker) event(e model.Event) error {
	if a.format.value == formatJSON {
		return output.JSONLine(a.stdout, e)
	}
	_, err := fmt.Fprintln(a.stdout, view.Event(e, a.terminal(), a.zone))
	return err
}
