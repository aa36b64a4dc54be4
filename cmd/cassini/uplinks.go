package main

import (
	"context"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

func newUplinks(sys *system) *cobra.Command {
	var host string
	var single bool
	cmd := &cobra.Command{
		Use:     "uplinks",
		Short:   "Show how hosts are joined to switches, and what one failure cuts off",
		Example: "  cassini uplinks\n  cassini uplinks --single",
		Args:    noArgs,
	}
	cmd.Flags().StringVar(&host, "host", "", "only this `host`")
	cmd.Flags().BoolVar(&single, "single", false, "only hosts that hang on one cable or one switch")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		query := client.Query{}.With("host", host).At(at.Time)
		if single {
			query = query.With("single", "true")
		}
		list, err := c.Uplinks(ctx, query)
		return answer(a, list, err, view.Uplinks, "no hosts")
	})
	return cmd
}

func newShared(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "shared HOST HOST",
		Short:   "Show what two hosts have in common: switches, subnets, VLANs, gateways, services",
		Long:    "Show what two hosts have in common: when one of these fails, both are hit.",
		Example: "  cassini shared web-1 web-2",
		Args:    wantArgs("HOST", "HOST"),
	}
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		list, err := c.Shared(ctx, client.Query{}.With("a", args[0]).With("b", args[1]).At(at.Time))
		return answer(a, list, err, func(list []model.Shared) *output.Table { return view.Shared(list, args[0], args[1]) }, "nothing that Cassini knows of")
	})
	return cmd
}
