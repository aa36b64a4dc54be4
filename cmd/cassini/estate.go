package main

import (
	"context"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

// question is a command that asks for a list, at a moment. ask is a method of the client.
func question[T any](sys *system, cmd *cobra.Command, ask func(*client.Client, context.Context, client.Query) ([]T, error), show func([]T) *output.Table, none string) *cobra.Command {
	cmd.Args = noArgs
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		list, err := ask(c, ctx, client.Query{}.At(at.Time))
		return answer(a, list, err, show, none)
	})
	return cmd
}

func newCycles(sys *system) *cobra.Command {
	return question(sys, &cobra.Command{
		Use:     "cycles",
		Short:   "Show services that depend on each other in circles",
		Long:    "Show services that depend on each other in circles: when one of them has stopped, none of\nthe others can be started before it.",
		Example: "  cassini cycles",
	}, (*client.Client).Cycles, view.Cycles, "no services depend on each other in circles")
}

func newUnmonitored(sys *system) *cobra.Command {
	return question(sys, &cobra.Command{
		Use:     "unmonitored",
		Short:   "Show what nobody watches",
		Long:    "Show what nobody watches: hosts that are on no ring with others, machines without an agent,\nand services that somebody dials and no agent knows; those with the most clients first.",
		Example: "  cassini unmonitored",
	}, (*client.Client).Unmonitored, view.Unmonitored, "everything is watched")
}

func newVersions(sys *system) *cobra.Command {
	return question(sys, &cobra.Command{
		Use:     "versions",
		Short:   "Show kernels, systems and agents, and which hosts have each",
		Example: "  cassini versions\n  cassini versions --at 24h",
	}, (*client.Client).Versions, view.Versions, "no hosts")
}

func newAddresses(sys *system) *cobra.Command {
	var state string
	cmd := &cobra.Command{
		Use:     "addresses",
		Short:   "Show IP addresses and who has each: owned, shared by several hosts, or unknown",
		Example: "  cassini addresses\n  cassini addresses --state unknown",
	}
	cmd.Flags().StringVar(&state, "state", "", "only addresses in this `state`: owned, shared, unknown")
	return question(sys, cmd, func(c *client.Client, ctx context.Context, q client.Query) ([]model.Address, error) {
		return c.Addresses(ctx, q.With("state", state))
	}, view.Addresses, "no addresses")
}
