package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

func newHost(sys *system) *cobra.Command {
	return newPage(sys, &cobra.Command{
		Use:     "host NAME",
		Short:   "Show all that is known of one host on a page",
		Long:    "Show all that is known of one host: whether it is up and who watches it, its system, cables\nand services, whom it depends on and who on it, what falls with it, incidents and what\nhappened last.",
		Example: "  cassini host web-17\n  cassini host web-17 --at 1h\n  cassini host web-17 -o json",
	}, model.KindHost, func(ctx context.Context, c *client.Client, id string, q client.Query) (model.Page, error) {
		return c.Host(ctx, q.With("host", model.SubjectHost(id)))
	})
}

func newService(sys *system) *cobra.Command {
	return newPage(sys, &cobra.Command{
		Use:     "service NODE",
		Short:   "Show all that is known of one service on a page",
		Long:    "Show all that is known of one service (an identifier, or a part of one that is unique): its\nprogram and where that lives, whom it depends on and who on it, what falls with it,\nincidents and what happened last.",
		Example: "  cassini service postgres\n  cassini service service:db-3/postgres:5432 --at 1h",
	}, model.KindService, func(ctx context.Context, c *client.Client, id string, q client.Query) (model.Page, error) {
		return c.Service(ctx, q.With("id", id))
	})
}

// newPage is a command that shows a page of a node of one kind.
func newPage(sys *system, cmd *cobra.Command, kind string, ask func(context.Context, *client.Client, string, client.Query) (model.Page, error)) *cobra.Command {
	var limit int
	cmd.Args = wantArgs("NODE")
	cmd.Flags().IntVar(&limit, "limit", 10, "how `many` to show of each list that can be long")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		id, err := resolveKind(ctx, c, kind, args[0], at.Time)
		if err != nil {
			return err
		}
		page, err := ask(ctx, c, id, client.Query{}.Number("limit", limit).At(at.Time))
		if err != nil {
			return err
		}
		if a.format.value == formatJSON {
			return output.JSON(a.stdout, page)
		}
		return a.page(page)
	})
	cmd.ValidArgsFunction = a.completeNodes(cmd, kind)
	return cmd
}

// page writes a page for people: a few lines, and a table for each list that is not empty.
func (a *asker) page(p model.Page) error {
	for _, line := range view.PageLines(p, a.now()) {
		fmt.Fprintln(a.stdout, line)
	}
	for _, part := range view.PageParts(p, a.now()) {
		fmt.Fprintf(a.stdout, "\n%s\n", part.Title)
		if err := a.table(part.Table, ""); err != nil {
			return err
		}
	}
	if len(p.Events) == 0 {
		return nil
	}
	fmt.Fprintln(a.stdout, "\nWHAT HAPPENED LAST")
	for _, e := range p.Events {
		if err := a.event(e); err != nil {
			return err
		}
	}
	return nil
}

func newPrograms(sys *system) *cobra.Command {
	var host string
	cmd := &cobra.Command{
		Use:     "programs [PREFIX]",
		Short:   "Show programs, with what they serve and dial; by a prefix of name or path",
		Example: "  cassini programs\n  cassini programs post\n  cassini programs /opt/ --host web-17",
		Args:    oneArg,
	}
	cmd.Flags().StringVar(&host, "host", "", "only programs of this `host`")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		query := client.Query{}.With("host", host).At(at.Time)
		if len(args) == 1 {
			query = query.With("prefix", args[0])
		}
		list, err := c.Programs(ctx, query)
		return answer(a, list, err, view.Programs, "no such programs")
	})
	return cmd
}

func newCards(sys *system) *cobra.Command {
	var host string
	cmd := &cobra.Command{
		Use:     "cards",
		Short:   "Show network cards by maker",
		Example: "  cassini cards\n  cassini cards --host web-17",
	}
	cmd.Flags().StringVar(&host, "host", "", "only cards of this `host`")
	return question(sys, cmd, func(c *client.Client, ctx context.Context, q client.Query) ([]model.Card, error) {
		return c.Cards(ctx, q.With("host", host))
	}, view.Cards, "no network cards")
}

func newUnknown(sys *system) *cobra.Command {
	return question(sys, &cobra.Command{
		Use:     "unknown",
		Short:   "Show what hosts have to do with and no agent knows",
		Long:    "Show services on addresses that no host with an agent has, and machines without one: what\nprograms dial, what dials them and what is seen on the wire; those with the most clients first.",
		Example: "  cassini unknown",
	}, (*client.Client).Unknown, view.Unknown, "nothing unknown")
}

func newWhoTalksTo(sys *system) *cobra.Command {
	var depth int
	cmd := &cobra.Command{
		Use:     "who-talks-to NODE",
		Short:   "Show the clients of a service, a program or a host",
		Example: "  cassini who-talks-to postgres\n  cassini who-talks-to host:db-3 --depth 2",
		Args:    wantArgs("NODE"),
	}
	cmd.Flags().IntVar(&depth, "depth", 1, "how many `steps` away: clients of clients")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		id, err := resolve(ctx, c, args[0], at.Time)
		if err != nil {
			return err
		}
		list, err := c.WhoTalksTo(ctx, client.Query{}.With("of", id).Number("depth", depth).At(at.Time))
		return answer(a, list, err, func(list []model.DependencyView) *output.Table { return view.Dependencies(list, sys.now()) }, "nobody talks to "+id)
	})
	cmd.ValidArgsFunction = a.completeNodes(cmd, model.KindService, model.KindProcess, model.KindHost)
	return cmd
}
