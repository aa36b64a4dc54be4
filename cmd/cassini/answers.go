package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

func newImpact(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "impact NODE",
		Short: "Show what falls when a host, a switch, a link or a service dies",
		Long: "Show what falls when a host, a switch, a switch's port, an interface, a service or a\n" +
			"program dies (an identifier, or a part of one that is unique): down is what is on it,\n" +
			"affected what depends on it and on nothing like it, degraded what has others.",
		Example: "  cassini impact host:db-3\n  cassini impact postgres\n  cassini impact switch:00:1b:fc:00:00:0a --at 1h",
		Args:    oneArg,
	}
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		if len(args) == 0 {
			return usagef("what dies? name a NODE")
		}
		id, err := resolve(ctx, c, args[0], at.Time)
		if err != nil {
			return err
		}
		impact, err := c.Impact(ctx, client.Query{}.With("of", id).At(at.Time))
		if err != nil {
			return err
		}
		if a.format.value == formatJSON {
			return output.JSON(a.stdout, impact)
		}
		fmt.Fprintln(a.stdout, view.ImpactTitle(impact))
		return a.table(view.Impact(impact), "nothing else falls")
	})
	cmd.ValidArgsFunction = a.completeNodes(cmd, model.KindHost, model.KindService, model.KindSwitch, model.KindSwitchPort, model.KindInterface)
	return cmd
}

func newSPOF(sys *system) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "spof [NODE]",
		Short: "Show single points of failure: what takes others along when it alone dies",
		Long: "Show the hosts, switches, ports of switches and services that each take others along\n" +
			"when they alone die. With a NODE (an identifier, or a part of one that is unique) only\n" +
			"those that it falls with.",
		Example: "  cassini spof\n  cassini spof nginx",
		Args:    oneArg,
	}
	cmd.Flags().IntVar(&limit, "limit", 100, "how `many` to show")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		query := client.Query{}.Number("limit", limit).At(at.Time)
		if len(args) == 1 {
			id, err := resolve(ctx, c, args[0], at.Time)
			if err != nil {
				return err
			}
			query = query.With("of", id)
		}
		list, err := c.SinglePoints(ctx, query)
		return answer(a, list, err, view.SinglePoints, "no single points of failure that Cassini knows of")
	})
	cmd.ValidArgsFunction = a.completeNodes(cmd, model.KindHost, model.KindService)
	return cmd
}

func newPath(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "path FROM TO",
		Short:   "Show a shortest way between two nodes",
		Example: "  cassini path host:web-17 host:db-3",
		Args:    wantArgs("FROM", "TO"),
	}
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		ids := make([]string, len(args))
		for i, name := range args {
			id, err := resolve(ctx, c, name, at.Time)
			if err != nil {
				return err
			}
			ids[i] = id
		}
		if ids[0] == ids[1] {
			return fmt.Errorf("both are %s", ids[0])
		}
		steps, err := c.Path(ctx, client.Query{}.With("from", ids[0]).With("to", ids[1]).At(at.Time))
		return answer(a, steps, err, view.Path, "no way")
	})
	return cmd
}

func newUnused(sys *system) *cobra.Command {
	return newServiceQuestion(sys, "unused", "Show services that nobody was ever seen to be a client of", "every service has a client", (*client.Client).Unused)
}

func newExposed(sys *system) *cobra.Command {
	return newServiceQuestion(sys, "exposed", "Show services that listen on every address of their host", "no service listens on every address", (*client.Client).Exposed)
}

func newServiceQuestion(sys *system, name, short, none string, ask func(*client.Client, context.Context, client.Query) ([]model.Service, error)) *cobra.Command {
	var host string
	cmd := &cobra.Command{Use: name, Short: short, Example: "  cassini " + name + " --host web-17", Args: noArgs}
	cmd.Flags().StringVar(&host, "host", "", "only services of this `host`")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		list, err := ask(c, ctx, client.Query{}.With("host", host).At(at.Time))
		return answer(a, list, err, func(list []model.Service) *output.Table { return view.Services(list, sys.now()) }, none)
	})
	return cmd
}

func newDiff(sys *system) *cobra.Command {
	from, to := &atFlag{now: sys.now}, &atFlag{now: sys.now}
	cmd := &cobra.Command{
		Use:     "diff --from MOMENT [--to MOMENT]",
		Short:   "Show what came, went and changed between two moments",
		Example: "  cassini diff --from 1h\n  cassini diff --from 2026-11-20T08:00:00Z --to 2026-11-20T09:00:00Z",
		Args:    noArgs,
	}
	cmd.Flags().Var(from, "from", "the earlier moment, as 2026-11-20T19:26:03Z or as 10m for ten minutes ago")
	cmd.Flags().Var(to, "to", "the later moment; now by default")
	each := cmd.Flags().Bool("each", false, "a line for each change, also where many differ in their hosts alone")
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		if from.IsZero() {
			return usagef("since when? give --from, such as --from 1h")
		}
		query := client.Query{}.With("from", from.UTC().Format(time.RFC3339Nano))
		if !to.IsZero() {
			query = query.With("to", to.UTC().Format(time.RFC3339Nano))
		}
		diff, err := c.Diff(ctx, query)
		if err != nil {
			return err
		}
		if a.format.value == formatJSON {
			return output.JSON(a.stdout, diff)
		}
		return a.table(view.Diff(diff, *each), "nothing came, went or changed")
	})
	return cmd
}
