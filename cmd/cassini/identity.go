package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/manager/identity"
	"cassini/model"
)

func newIdentity(sys *system) *cobra.Command {
	var shared bool
	cmd := &cobra.Command{
		Use:   "identity [HOST]",
		Short: "Show who hosts say they are, and tell clones and namesakes",
		Long: "Show who hosts say they are, and tell clones: two live machines with one machine-id, and\n" +
			"namesakes: two machines with one host name, of which the later one is called NAME~2.\n\n" +
			"Images that are made with /etc/machine-id in them give it to all machines that are made of them.\n" +
			"A clone that has the agent's data directory as well is told from the original, and called NAME~2.\n" +
			"On the clone, stop the agent, remove its data directory (/var/lib/cassini),\n" +
			"run 'rm /etc/machine-id && systemd-machine-id-setup', boot it, and let it join again.\n" +
			"Give a namesake a name of its own (hostnamectl set-hostname NAME), and let it join again.",
		Example: "  cassini identity\n  cassini identity --shared\n  cassini identity web-17 -o json",
		Args:    oneArg,
	}
	cmd.Flags().BoolVar(&shared, "shared", false, "only hosts whose machine-id or host name another one has")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		query := client.Query{}.At(at.Time)
		if len(args) == 1 {
			query = query.With("host", args[0])
		}
		if shared {
			query = query.With("shared", "true")
		}
		list, err := client.Get[[]model.HostIdentity](ctx, c, "identities", query)
		return answer(a, list, err, a.identityTable, "no such hosts")
	})
	return cmd
}

func (a *asker) identityTable(list []model.HostIdentity) *output.Table {
	t := output.Columns("HOST", "MACHINE-ID", "DMI UUID", "BOOTED", "ADDRESSES", "KNOWN SINCE", "HEARD", "SHARES ITS MACHINE-ID OR NAME").Shrink("SHARES ITS MACHINE-ID OR NAME")
	for _, i := range list {
		style, said := output.Plain, make([]string, 0, len(i.Shared))
		for _, s := range i.Shared {
			if s.Relation == string(identity.Cloned) {
				style = output.Red
			}
			said = append(said, sharing(s))
		}
		t.Add(style, output.Text(i.Host, dash(i.MachineID), dash(i.DMI), a.moment(i.BootTime), dash(strings.Join(i.MACs, " ")), a.moment(i.Known), output.Ago(i.Heard, a.now()), dash(strings.Join(said, "; ")))...)
	}
	return t
}

// sharing says what two hosts of one machine-id are.
func sharing(s model.SharedIdentity) string {
	switch identity.Twins(s.Relation) {
	case identity.Namesake:
		if s.Original {
			return s.Host + " is another machine of its name"
		}
		return "another machine of the name of " + s.Host
	case identity.Cloned:
		if s.Original {
			return s.Host + " is its clone"
		}
		return "it is a clone of " + s.Host
	case identity.OneKernel:
		return "on one machine with " + s.Host
	case identity.Renamed:
		if s.Original {
			return "is called " + s.Host + " now"
		}
		return "was called " + s.Host
	}
	return "with " + s.Host + ": undecided, until both are heard at one time"
}
