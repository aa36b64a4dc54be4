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

func newRings(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "rings",
		Short:   "Show the rings in which hosts watch each other, and whether they are whole",
		Example: "  cassini rings\n  cassini rings -o json",
		Args:    noArgs,
	}
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		list, err := c.Rings(ctx)
		return answer(a, list, err, view.Rings, "no rings: no agent has joined yet")
	})
	return cmd
}

func newHosts(sys *system) *cobra.Command {
	var host, state string
	cmd := &cobra.Command{
		Use:     "hosts",
		Short:   "Show which hosts are up, and who watches each",
		Example: "  cassini hosts\n  cassini hosts --state crashed",
		Args:    noArgs,
	}
	cmd.Flags().StringVar(&host, "host", "", "only this `host`")
	cmd.Flags().StringVar(&state, "state", "", "only hosts in this `state`: up, hung, ended, stopped, shut-down, crashed, link-down, deaf, unobservable")
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		list, err := c.Liveness(ctx, client.Query{}.With("host", host).With("state", state))
		return answer(a, list, err, func(list []model.HostLiveness) *output.Table { return view.Liveness(list, sys.now()) }, noHosts(host, state))
	})
	cmd.AddCommand(newHostsForget(sys))
	return grouped(cmd)
}

func newHostsForget(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "forget HOST",
		Short: "Forget a host that is no more",
		Long: "Forget a host that is no more. What it told is withdrawn, and stands in the past alone until\n" +
			"retention removes it; its place in rings goes. What others know of the machine stays. A host\n" +
			"that nothing is heard of is forgotten by itself after --forget-hosts-after of the manager.",
		Example: "  cassini hosts forget web-17",
		Args:    oneArg,
	}
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		if len(args) == 0 {
			return usagef("want the name of a host; 'cassini hosts' has them")
		}
		return tell(ctx, a, c, "hosts/forget", map[string]string{"host": args[0]}, func(f model.Forgotten) error {
			text := fmt.Sprintf("%s is forgotten; documents withdrawn: %d", f.Host, f.Documents)
			if f.Enrolled {
				text += "; its certificate still counts, or it is revoked: 'cassini agents' shows it"
			}
			return a.say(text)
		})
	})
	return cmd
}

// noHosts says why there is nothing to show.
func noHosts(host, state string) string {
	if host != "" || state != "" {
		return "no such hosts"
	}
	return "no hosts: no agent has joined yet"
}

// until is the moment that an answer is about.
func until(at *atFlag, now time.Time) time.Time {
	if at.IsZero() {
		return now
	}
	return at.Time
}
