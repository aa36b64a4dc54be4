package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	authority "cassini/manager/enroll"
	"cassini/model"
)

// newToken groups what is done with tokens.
func newToken(sys *system) *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Make, list and revoke tokens and certificates: for hosts to join, for people and programs to ask"}
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

func newTokenCreate(sys *system) *cobra.Command {
	var order authority.TokenOrder
	var life time.Duration
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a token and print it: it cannot be shown again",
		Long: "Make a token and print it: it cannot be shown again. By one of role agent hosts join;\n" +
			"a viewer reads, an operator also rotates keys, an admin also makes and revokes tokens.\n" +
			"With --tenant it is for that tenant's hosts alone: those that join by it are the tenant's,\n" +
			"and a viewer or operator sees no others (docs/security.md). With --certificate a\n" +
			"certificate is made instead, and written to a file with its key and the manager's\n" +
			"authority: it is shown by --client-cert, and revoked like a token.",
		Example: "  cassini token create --role agent\n  cassini token create --role agent --limit 40 --life 2h --host-label rack=7,env=prod\n  cassini token create --role viewer --label grafana --life 8760h\n  cassini token create --role agent --tenant shop --limit 40\n  cassini token create --role viewer --tenant shop\n  cassini token create --role operator --label alice --certificate alice.pem",
		Args:    noArgs,
	}
	role := addEnum(cmd, "role", "", "what it is for", authority.Roles()...)
	flags := cmd.Flags()
	flags.StringVar(&order.Label, "label", "", "`text` that is shown with it, and with hosts that join by it")
	flags.StringToStringVar(&order.Labels, "host-label", nil, "for joining: labels that the host gets, as `KEY=VALUE`, several with commas between")
	flags.StringVar(&order.Host, "host", "", "for joining: this `host` alone, also in place of one that has the name already")
	flags.StringVar(&order.Tenant, "tenant", "", "whose hosts join by it or are seen by it: a `name`; without one, the whole estate's")
	flags.IntVar(&order.Limit, "limit", 0, "for joining: how many hosts; one by default")
	flags.DurationVar(&life, "life", 0, "how long it is good for; by default a day for joining, else 90 days")
	file := ""
	flags.StringVar(&file, "certificate", "", "`file` for a certificate instead of a token; it must not be there yet")
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		if life != 0 && life < time.Second {
			return usagef("--life %v: want a second or more", life)
		}
		order.Role, order.LifeSeconds = authority.Role(role.value), int64(life/time.Second)
		if file != "" {
			return a.certify(ctx, c, order, file)
		}
		return tell(ctx, a, c, "tokens", order, func(made authority.TokenMade) error {
			if err := a.say(made.Text); err != nil {
				return err
			}
			fmt.Fprintf(a.stderr, "good until %s; %s\n", a.moment(made.Expires), use(made.Token))
			return nil
		})
	})
	return cmd
}

// certify makes a certificate, and a file of it. Its key leaves this machine at no time.
func (a *asker) certify(ctx context.Context, c *client.Client, order authority.TokenOrder, path string) (err error) {
	f, err := newSecretFile(path)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(path) // it was made here, and is worth nothing
		}
	}()
	key, request, err := newRequest()
	if err != nil {
		return err
	}
	order.Request = request
	return tell(ctx, a, c, "tokens", order, func(made authority.TokenMade) error {
		if _, err := f.WriteString(string(key) + made.Certificate + made.Authorities); err != nil {
			return fmt.Errorf("write the certificate: %w", err)
		}
		return a.say(fmt.Sprintf("certificate %s (%s) is in %s, good until %s; CASSINI_CLIENT_CERT=%s cassini services --api https://THIS-MANAGER:1984", made.ID, made.Role, path, a.moment(made.Expires), path))
	})
}

// use says what a token is for.
func use(t authority.Token) string {
	if t.Role == authority.RoleAgent {
		return "on the host: cassini join --manager https://THIS-MANAGER:1984 --token TOKEN"
	}
	return "CASSINI_TOKEN=TOKEN cassini services --api https://THIS-MANAGER:1984"
}

func newTokenList(sys *system) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List tokens, without their secrets, and certificates of people and programs"}
	return newList(cmd, sys, "tokens", (*asker).tokenTable, "no tokens")
}

func (a *asker) tokenTable(list []authority.Token) *output.Table {
	t := output.Columns("ID", "ROLE", "TENANT", "LABEL", "HOST", "CREATED", "EXPIRES", "USES", "SHOWN AS", "STATE").Shrink("LABEL")
	for _, token := range list {
		uses := "-"
		if token.Role == authority.RoleAgent {
			uses = fmt.Sprintf("%d of %d", token.Uses, token.Limit)
		}
		shown := "token"
		if token.Key != "" {
			shown = "certificate"
		}
		t.Add(output.Plain, output.Text(token.ID, string(token.Role), dash(token.Tenant), labelText(token.Label, token.Labels), dash(token.Host), a.moment(token.Created), a.moment(token.Expires), uses, shown, tokenState(token, a.now()))...)
	}
	return t
}

// labelText is the text of a token, and the labels that hosts get by it.
func labelText(label string, labels map[string]string) string {
	return dash(strings.Join(model.HostLabels{Label: label, Labels: labels}.Groups(""), " "))
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
	cmd := &cobra.Command{Use: "revoke ID", Short: "End a token or a certificate; hosts that joined by it stay", Args: oneArg}
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
	return tell(ctx, a, c, path, what, func(answer map[string]string) error {
		if copies := answer["copies"]; copies != "" {
			done += "; and so are machines that came of copies of its data directory: " + copies
		}
		return a.say(done)
	})
}
