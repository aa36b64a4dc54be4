package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// silenceOrder asks for a silence.
type silenceOrder struct {
	Kind     string    `json:"kind,omitempty"`
	Severity string    `json:"severity,omitempty"`
	Subject  string    `json:"subject,omitempty"`
	By       string    `json:"by,omitempty"`
	Until    time.Time `json:"until"`
	Why      string    `json:"why"`
}

func newSilence(sys *system) *cobra.Command {
	var order silenceOrder
	var span time.Duration
	cmd := &cobra.Command{
		Use:   "silence [HOST|NODE]",
		Short: "Keep receivers from being told of incidents for a while",
		Long: "Keep receivers from being told of incidents for a while. HOST covers all that is on it; a star at\n" +
			"the end stands for any rest. What is silenced still stands in 'cassini incidents'.",
		Example: "  cassini silence web-17 --for 2h --why 'new kernel'\n  cassini silence 'web-*' --kind service-gone --for 30m --why deployment\n" +
			"  cassini silence --kind new-listener --for 720h --why 'not yet'\n  cassini silence list\n  cassini silence end 7f3a9c01",
		Args: oneArg,
	}
	flags := cmd.Flags()
	flags.StringVar(&order.Kind, "kind", "", "only incidents of this `kind`, such as service-gone")
	flags.StringVar(&order.Severity, "severity", "", "only incidents of this `severity`: critical, warning, info")
	flags.DurationVar(&span, "for", time.Hour, "how long")
	addSigned(cmd, sys, &order.By, &order.Why)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		if len(args) == 1 {
			order.Subject = args[0]
		}
		switch {
		case order.Subject == "" && order.Kind == "" && order.Severity == "":
			return usagef("want a HOST or NODE, --kind or --severity; '*' is every host")
		case order.Why == "":
			return usagef("want --why, for those who wonder")
		case span <= 0:
			return usagef("--for %v: want a duration above 0", span)
		}
		order.Until = sys.now().Add(span)
		return tell(ctx, a, c, "silences", order, func(made model.Silence) error {
			return a.say(fmt.Sprintf("silence %s until %s; 'cassini silence end %s' ends it before", made.ID, a.moment(made.Until), made.ID))
		})
	})
	cmd.AddCommand(newSilenceList(sys), newSilenceEnd(sys))
	return grouped(cmd)
}

func newSilenceList(sys *system) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List silences; those that ended are forgotten after a week"}
	return newList(cmd, sys, "silences", (*asker).silenceTable, "no silences")
}

func (a *asker) silenceTable(list []model.Silence) *output.Table {
	t := output.Columns("ID", "STATE", "OF", "KIND", "SEVERITY", "UNTIL", "BY", "WHY").Shrink("WHY")
	for _, s := range list {
		state, style := "in force", output.Plain
		if !s.Holds(a.now()) {
			state, style = "ended", output.Dim
		}
		t.Add(style, output.Text(s.ID, state, dash(s.Subject), dash(string(s.Kind)), dash(s.Severity), a.moment(s.Until), s.By, s.Why)...)
	}
	return t
}

func newSilenceEnd(sys *system) *cobra.Command {
	cmd := &cobra.Command{Use: "end ID", Short: "End a silence: what goes on is told", Args: oneArg}
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		if len(args) == 0 {
			return usagef("want the ID of a silence; 'cassini silence list' has them")
		}
		return tell(ctx, a, c, "silences/end", map[string]string{"id": args[0]}, func(ended model.Silence) error {
			return a.say("silence " + ended.ID + " has ended")
		})
	})
	return cmd
}

func newReceivers(sys *system) *cobra.Command {
	cmd := &cobra.Command{Use: "receivers", Short: "Show who is told of incidents, and whether that works"}
	return newList(cmd, sys, "alerts/receivers", (*asker).receiverTable, "nobody is told of incidents; see --alert-... of 'cassini manager --help'")
}

func (a *asker) receiverTable(list []model.ReceiverStats) *output.Table {
	t := output.Columns("RECEIVER", "TENANT", "FIRING", "SENT", "FAILED", "PENDING", "OLDEST", "LAST TAKEN", "LAST ERROR").Shrink("LAST ERROR")
	for _, r := range list {
		style := output.Plain
		if r.Error != "" {
			style = output.Red
		}
		t.Add(style, output.Text(r.Name, dash(r.Tenant), strconv.Itoa(r.Firing), output.Count(r.Sent), output.Count(r.Failed), strconv.Itoa(r.Pending), output.Ago(r.Oldest, a.now()), output.Ago(r.Success, a.now()), dash(r.Error))...)
	}
	return t
}
