package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	authority "cassini/manager/enroll"
)

// newToken groups what is done with tokens.
func newToken(sys *system) *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Make, list and revoke tokens: for hosts to join, for people and programs to ask"}
	cmd.AddCommand(newTokenCreate(sys), newTokenList(sys), newTokenRevoke(sys))
	return grouped(cmd)
}

// grouped makes a command of which only the commands below it do something.
func grouped(cmd *cobra.Command) *cobra.Command {
	cmd.GroupID = groupAsk
	cmd.AddGroup(&cobra.Group{ID: groupAsk, Title: "Commands:"})
	if cmd.RunE == nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) }
		cmd.RunE = func(cmd *cobra.Command, _ []string) error {
			return usagef("want one of the commands below %s", cmd.Name())
		}
	}
	return cmd
}

// tokenOrder is what is asked for; the manager has the defaults.
type tokenOrder struct {
	Role        string `json:"role"`
	Label       string `json:"label,omitempty"`
	Host        string `json:"host,omitempty"`
	LifeSeconds int64  `json:"life_seconds,omitempty"`
	Limit       int    `json:"limit,omitempty"`
}

// tokenMade is the answer.
type tokenMade struct {
	Text string `json:"text"`
	authority.Token
}

func newTokenCreate(sys *system) *cobra.Command {
	var order tokenOrder
	var life time.Duration
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a token and print it: it cannot be shown again",
		Long: "Make a token and print it: it cannot be shown again. By one of role agent hosts join;\n" +
			"a viewer reads, an operator also rotates keys, an admin also makes and revokes tokens.",
		Example: "  cassini token create --role agent\n  cassini token create --role agent --limit 40 --life 2h --label rack-7\n  cassini token create --role viewer --label grafana --life 8760h",
		Args:    noArgs,
	}
	role := addEnum(cmd, "role", "", "what it is for", authority.Roles()...)
	flags := cmd.Flags()
	flags.StringVar(&order.Label, "label", "", "`text` that is shown with it, and with hosts that join by it")
	flags.StringVar(&order.Host, "host", "", "for joining: this `host` alone, also in place of one that has the name already")
	flags.IntVar(&order.Limit, "limit", 0, "for joining: how many hosts; one by default")
	flags.DurationVar(&life, "life", 0, "how long it is good for; by default a day for joining, else 90 days")
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		if life != 0 && life < time.Second {
			return usagef("--life %v: want a second or more", life)
		}
		order.Role, order.LifeSeconds = role.value, int64(life/time.Second)
		return tell(ctx, a, c, "tokens", order, func(made tokenMade) error {
			if err := a.say(made.Text); err != nil {
				return err
			}
			fmt.Fprintf(a.stderr, "good until %s; %s\n", a.moment(made.Expires), use(made.Token))
			return nil
		})
	})
	return cmd
}

// use says what a token is for.
func use(t authority.Token) string {
	if t.Role == authority.RoleAgent {
		return "on the host: cassini join --manager https://THIS-MANAGER:1984 --token TOKEN"
	}
	return "CASSINI_TOKEN=TOKEN cassini services --api https://THIS-MANAGER:1984"
}

func newTokenList(sys *system) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List tokens, without their secrets"}
	return newList(cmd, sys, "tokens", (*asker).tokenTable, "no tokens")
}

func (a *asker) tokenTable(list []authority.Token) *output.Table {
	t := output.Columns("ID", "ROLE", "LABEL", "HOST", "CREATED", "EXPIRES", "USES", "STATE").Shrink("LABEL")
	for _, token := range list {
		uses := "-"
		if token.Role == authority.RoleAgent {
			uses = fmt.Sprintf("%d of %d", token.Uses, token.Limit)
		}
		t.Add(output.Plain, output.Text(token.ID, string(token.Role), dash(token.Label), dash(token.Host), a.moment(token.Created), a.moment(token.Expires), uses, tokenState(token, a.now()))...)
	}
	return t
}

func tokenState(t authority.Token, now time.Time) string {
	switch {
	case !t.Revoked.IsZero():
		return "revoked"
	case !t.Expires.IsZero() && !now.Before(t.Expires):
		return "expired"
	case t.Role == authority.RoleAgent && t.Uses >= t.Limit:
		return "used up"
	}
	return "good"
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func newTokenRevoke(sys *system) *cobra.Command {
	cmd := &cobra.Command{Use: "revoke ID", Short: "End a token; hosts that joined by it stay", Args: oneArg}
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		if len(args) == 0 {
			return usagef("want the ID of a token; 'cassini token list' has them")
		}
		return a.revoke(ctx, c, "tokens/revoke", map[string]string{"id": args[0]}, "token "+args[0]+" is revoked")
	})
	return cmd
}

// revoke tells, and shows what was told.
func (a *asker) revoke(ctx context.Context, c *client.Client, path string, what map[string]string, done string) error {
	return tell(ctx, a, c, path, what, func(map[string]string) error { return a.say(done) })
}
