package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

func newIncidents(sys *system) *cobra.Command {
	var open bool
	cmd := &cobra.Command{
		Use:   "incidents",
		Short: "Show what died or went wrong: hosts, services, links, with the evidence; acknowledge it",
		Long: "Show what died or went wrong: hosts, agents, switches, services, links and addresses, with the\n" +
			"evidence, the newest first. Reports of one death are one incident, and so are several deaths\n" +
			"of one cause.",
		Example: "  cassini incidents\n  cassini incidents --open\n  cassini incidents -o json\n  cassini incidents ack service-gone-3f9a2c1b77 --why 'is being moved'",
		Args:    noArgs,
	}
	cmd.Flags().BoolVar(&open, "open", false, "only what is not over")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		query := client.Query{}.At(at.Time)
		if open {
			query = query.With("open", "true")
		}
		list, err := c.Incidents(ctx, query)
		return answer(a, list, err, func(list []model.Incident) *output.Table { return view.Incidents(list, until(at, sys.now())) }, "no incidents")
	})
	cmd.AddCommand(newIncidentsAck(sys))
	return grouped(cmd)
}

// ackOrder is what is told of an incident.
type ackOrder struct {
	Incident string    `json:"incident"`
	By       string    `json:"by,omitempty"`
	Until    time.Time `json:"until,omitzero"`
	Why      string    `json:"why,omitempty"`
	Undo     bool      `json:"undo,omitempty"`
}

func newIncidentsAck(sys *system) *cobra.Command {
	var order ackOrder
	var span time.Duration
	cmd := &cobra.Command{
		Use:   "ack ID",
		Short: "Take an incident on, or give it back",
		Long: "Take an incident on, or give it back. Receivers are told who has it; Alertmanager\n" +
			"goes on to show it, with that in its annotations.",
		Example: "  cassini incidents ack service-gone-3f9a2c1b77 --why 'is being moved' --for 2h\n  cassini incidents ack service-gone-3f9a2c1b77 --undo",
		Args:    oneArg,
	}
	flags := cmd.Flags()
	flags.DurationVar(&span, "for", 0, "how long; as long as it is open by default")
	flags.BoolVar(&order.Undo, "undo", false, "nobody has taken it on after all")
	addSigned(cmd, sys, &order.By, &order.Why)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		if len(args) == 0 {
			return usagef("want the ID of an incident; 'cassini incidents --open' has them")
		}
		order.Incident = args[0]
		if span < 0 {
			return usagef("--for %v: want a duration above 0", span)
		}
		if span > 0 {
			order.Until = sys.now().Add(span)
		}
		return tell(ctx, a, c, "incidents/ack", order, func(told model.Incident) error {
			done := "is acknowledged by " + order.By
			if order.Undo {
				done = "is nobody's"
			}
			return a.say(told.ID + " " + done + ": " + told.Summary)
		})
	})
	return cmd
}

// addSigned adds who says something, and why.
func addSigned(cmd *cobra.Command, sys *system, by, why *string) {
	name := sys.getenv("USER")
	cmd.Flags().StringVar(by, "by", name, "your `name`, beside that of the token")
	cmd.Flags().StringVar(why, "why", "", "`text` for others to read")
}
