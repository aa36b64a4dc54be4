package main

import (
	"context"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

func newSwitches(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "switches",
		Short:   "Show the switches that hosts are wired to",
		Example: "  cassini switches\n  cassini switches -o json",
		Args:    noArgs,
	}
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		switches, err := c.Switches(ctx, client.Query{}.At(at.Time))
		return answer(a, switches, err, view.Switches, "no switches: no LLDP or CDP is heard")
	})
	return cmd
}

func newPorts(sys *system) *cobra.Command {
	var host, iface, device string
	var ended bool
	cmd := &cobra.Command{
		Use:     "ports",
		Short:   "Show which switch port each cable ends in",
		Long:    "Show which switch port each cable of a host ends in, and where what both ends say\ndoes not fit.",
		Example: "  cassini ports\n  cassini ports --host web-17\n  cassini ports --switch core-1",
		Args:    noArgs,
	}
	cmd.Flags().StringVar(&host, "host", "", "only cables of this `host`")
	cmd.Flags().StringVar(&iface, "interface", "", "only cables of this `interface`")
	cmd.Flags().StringVar(&device, "switch", "", "only ports of this `switch`: its identifier, chassis or name")
	cmd.Flags().BoolVar(&ended, "ended", false, "also what is not heard any more")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		query := client.Query{}.With("host", host).With("interface", iface).With("switch", device).At(at.Time)
		if ended {
			query = query.With("ended", "true")
		}
		ports, err := c.Ports(ctx, query)
		return answer(a, ports, err, func(list []model.Port) *output.Table { return view.Ports(list, sys.now()) }, "no cables: no LLDP or CDP is heard")
	})
	return cmd
}

func newNeighbors(sys *system) *cobra.Command {
	var host string
	cmd := &cobra.Command{
		Use:     "neighbors",
		Short:   "Show what devices at the other ends of cables say of themselves",
		Example: "  cassini neighbors\n  cassini neighbors --host web-17 -o json",
		Args:    noArgs,
	}
	cmd.Flags().StringVar(&host, "host", "", "only what this `host` hears")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		ports, err := c.Ports(ctx, client.Query{}.With("host", host).At(at.Time))
		return answer(a, ports, err, view.Neighbors, "no neighbors: no LLDP or CDP is heard")
	})
	return cmd
}

func newInterfaces(sys *system) *cobra.Command {
	var host string
	cmd := &cobra.Command{
		Use:     "interfaces",
		Short:   "Show network interfaces, how they are set and their addresses",
		Example: "  cassini interfaces\n  cassini interfaces --host web-17 --at 1h",
		Args:    noArgs,
	}
	cmd.Flags().StringVar(&host, "host", "", "only interfaces of this `host`")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		list, err := c.Interfaces(ctx, client.Query{}.With("host", host).At(at.Time))
		return answer(a, list, err, view.Interfaces, "no interfaces")
	})
	return cmd
}

func newStrangers(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "strangers",
		Short:   "Show machines that hosts see on the wire and where no agent is",
		Example: "  cassini strangers\n  cassini strangers --at 24h",
		Args:    noArgs,
	}
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		list, err := c.Strangers(ctx, client.Query{}.At(at.Time))
		return answer(a, list, err, func(list []model.Stranger) *output.Table { return view.Strangers(list, sys.now()) }, "no strangers")
	})
	return cmd
}

func newFind(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "find MAC|ADDRESS|NAME",
		Short:   "Show where a hardware address, an IP address or a name is",
		Example: "  cassini find 00:11:22:33:44:55\n  cassini find 10.0.0.7\n  cassini find web-17",
		Args:    wantArgs("MAC, ADDRESS or NAME"),
	}
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		found, err := c.Find(ctx, client.Query{}.With("q", args[0]).At(at.Time))
		return answer(a, found, err, view.Found, "nothing has "+output.Clean(args[0]))
	})
	return cmd
}
