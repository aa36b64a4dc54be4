package main

import (
	"context"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/view"
)

func newRoutes(sys *system) *cobra.Command {
	var host string
	var rules bool
	cmd := &cobra.Command{
		Use:     "routes",
		Short:   "Show the routes of hosts, or with --rules which packets use which table",
		Example: "  cassini routes --host web-17\n  cassini routes --rules\n  cassini routes --host web-17 --at 1h",
		Args:    noArgs,
	}
	cmd.Flags().StringVar(&host, "host", "", "only routes of this `host`")
	cmd.Flags().BoolVar(&rules, "rules", false, "routing rules instead of routes")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		query := client.Query{}.With("host", host).At(at.Time)
		if rules {
			list, err := c.Rules(ctx, query)
			return answer(a, list, err, view.Rules, "no rules but those that every host has")
		}
		list, err := c.Routes(ctx, query)
		return answer(a, list, err, view.Routes, "no routes")
	})
	return cmd
}
