package main

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	authority "cassini/manager/enroll"
)

// newAgents lists hosts that joined, and revokes their certificates.
func newAgents(sys *system) *cobra.Command {
	cmd := &cobra.Command{Use: "agents", Short: "List hosts that joined by a token; revoke their certificates"}
	cmd.AddCommand(newAgentsRevoke(sys))
	return grouped(newList(cmd, sys, "enroll/hosts", (*asker).agentTable, "no host has joined by a token"))
}

func (a *asker) agentTable(list []authority.Record) *output.Table {
	t := output.Columns("HOST", "TENANT", "LABEL", "TOKEN", "JOINED", "RENEWED", "EXPIRES", "STATE", "SERIAL OR IDENTITY").Shrink("LABEL").Spare("SERIAL OR IDENTITY")
	for _, r := range list {
		var newest authority.Issued
		if n := len(r.Certificates); n > 0 {
			newest = r.Certificates[n-1]
		}
		t.Add(output.Plain, output.Text(r.Host, dash(r.Tenant), labelText(r.Label, r.Labels), letInBy(r), a.moment(r.Joined), a.moment(r.Renewed), a.moment(newest.Expires), agentState(r, newest, a.now()), dash(cmp.Or(newest.Serial, r.Outside)))...)
	}
	return t
}

// letInBy is the token by which a host joined, or the host of which it came with a copy.
func letInBy(r authority.Record) string {
	if r.CopyOf != nil {
		return "copy of " + r.CopyOf.Host
	}
	return r.Token
}

func agentState(r authority.Record, newest authority.Issued, now time.Time) string {
	switch {
	case !r.Revoked.IsZero():
		return "revoked"
	case newest.Serial == "" && r.Outside != "":
		return "outside" // its certificate is another authority's matter
	case newest.Serial == "": // the last one was revoked, or its authority counts no more
		return "has to join"
	case !now.Before(newest.Expires):
		return "expired"
	}
	return "good"
}

func newAgentsRevoke(sys *system) *cobra.Command {
	var serial string
	cmd := &cobra.Command{
		Use:   "revoke HOST",
		Short: "Shut a host out: its certificates count no more",
		Long: "Shut a host out: its certificates count no more, and only a token that is made after\n" +
			"this lets it in again. Machines that got names by copies of its certificate are shut out as\n" +
			"well. Take new keys of rings into use then (docs/security.md).",
		Args: oneArg,
	}
	cmd.Flags().StringVar(&serial, "serial", "", "only the certificate with this serial `number`")
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		if len(args) == 0 {
			return usagef("want the name of a host; 'cassini agents' has them")
		}
		what := map[string]string{"host": args[0]}
		if serial != "" {
			what["serial"] = serial
		}
		return a.revoke(ctx, c, "enroll/revoke", what, args[0]+" is revoked")
	})
	return cmd
}
