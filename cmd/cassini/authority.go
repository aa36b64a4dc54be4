package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	enrolment "cassini/manager/enroll"
)

// authorityRotated is what the manager answers.
type authorityRotated struct {
	enrolment.View
	JoinAnew int `json:"join_anew"`
}

// newAuthority shows the authority of certificates, and rotates it.
func newAuthority(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use: "authority", Short: "Show whose certificates of agents count; rotate the manager's authority",
		Long: "Show whose certificates of agents count, and how far a rotation of the manager's authority is.",
		Args: noArgs,
	}
	cmd.AddCommand(newAuthorityRotate(sys), newAuthorityRetire(sys))
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		v, err := client.One[enrolment.View](ctx, c, "authority")
		if err != nil {
			return err
		}
		if a.format.value == formatJSON {
			return output.JSON(a.stdout, v)
		}
		return a.authority(v)
	})
	return grouped(cmd)
}

// authority shows a view of it.
func (a *asker) authority(v enrolment.View) error {
	t := output.Columns("STATE", "HOSTS", "CREATED", "EXPIRES", "HASH", "SUBJECT").Shrink("SUBJECT")
	for _, r := range v.Authorities {
		hosts := fmt.Sprint(r.Certificates)
		if r.State == enrolment.StateOutside {
			hosts = "-"
		}
		t.Add(output.Plain, output.Text(r.State, hosts, a.moment(r.Created), a.moment(r.Expires), r.Hash, r.Subject)...)
	}
	if err := a.table(t, "no authority"); err != nil || v.Rotation == nil {
		return err
	}
	r := v.Rotation
	return a.lines(
		"",
		fmt.Sprintf("A rotation is under way since %s. The old authority is retired when nobody needs it, or at %s.", a.moment(r.Began), a.moment(r.Until)),
		fmt.Sprintf("Hosts that know the new one: %d; that do not yet: %d%s", r.Known, r.WaitingAll, named(r.Waiting)),
		fmt.Sprintf("Tokens that name the old one, and need another in their place until then: %d%s", len(r.Tokens), named(r.Tokens)),
	)
}

func (a *asker) lines(list ...string) error {
	for _, line := range list {
		if err := a.say(line); err != nil {
			return err
		}
	}
	return nil
}

// named names the first of a list.
func named(list []string) string {
	const most = 10
	switch {
	case len(list) == 0:
		return "."
	case len(list) > most:
		return ": " + strings.Join(list[:most], ", ") + ", ..."
	}
	return ": " + strings.Join(list, ", ") + "."
}

func newAuthorityRotate(sys *system) *cobra.Command {
	var overlap time.Duration
	var now, yes bool
	cmd := &cobra.Command{
		Use: "rotate", Short: "Take another key of the authority into use",
		Long: "Take another key of the authority into use. For the overlap the old one counts too:\n" +
			"agents get their next certificate by the new one as they talk, and nothing is refused.\n" +
			"With --now, for a key that was stolen, the old one counts no more at once: all hosts\n" +
			"have to join anew, by new tokens.",
		Example: "  cassini authority rotate\n  cassini authority rotate --overlap 48h\n  cassini authority rotate --now --yes",
		Args:    noArgs,
	}
	flags := cmd.Flags()
	flags.DurationVar(&overlap, "overlap", 0, "for how long the old one counts at most; by default the life of agents' certificates, 30 days")
	flags.BoolVar(&now, "now", false, "the key was stolen: the old one counts no more at once")
	flags.BoolVar(&yes, "yes", false, "with --now: all hosts may have to join anew")
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		switch {
		case now && !yes:
			return usagef("--now shuts every host out until it joins anew; if that is wanted, say --yes too")
		case now && overlap != 0:
			return usagef("--now and --overlap: there is no overlap where the old authority counts no more at once")
		case overlap != 0 && overlap < time.Second:
			return usagef("--overlap %v: want a second or more", overlap)
		}
		order := map[string]any{"now": now, "overlap_seconds": int64(overlap / time.Second)}
		return tell(ctx, a, c, "authority/rotate", order, func(done authorityRotated) error {
			if err := a.authority(done.View); err != nil || !now {
				return err
			}
			return a.lines("",
				fmt.Sprintf("The old authority counts no more. Hosts that have to join anew: %d. Make tokens with 'cassini token create --role agent', and run 'cassini join' on each.", done.JoinAnew),
				"Tokens that people and programs have name the old authority: they need new ones, too.")
		})
	})
	return cmd
}

func newAuthorityRetire(sys *system) *cobra.Command {
	var force bool
	cmd := &cobra.Command{Use: "retire", Short: "End a rotation before its time: the old authority counts no more", Args: noArgs}
	cmd.Flags().BoolVar(&force, "force", false, "also if hosts do not know the new one yet: these have to join anew")
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		return tell(ctx, a, c, "authority/retire", map[string]bool{"force": force}, func(done authorityRotated) error { return a.authority(done.View) })
	})
	return cmd
}
