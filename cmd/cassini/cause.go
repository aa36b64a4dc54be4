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

func newCause(sys *system) *cobra.Command {
	since := &atFlag{now: sys.now}
	var limit int
	cmd := &cobra.Command{
		Use:   "cause [NODE...]",
		Short: "Show the fewest failures that explain what ails the estate",
		Long: "Show the fewest failures that explain what ails the estate, the likeliest first, with what\n" +
			"speaks for each and against it. Symptoms are hosts that crashed or hang, connections that\n" +
			"fail, links without a carrier; or the NODEs that are named. The fit orders explanations:\n" +
			"it is no probability.",
		Example: "  cassini cause\n  cassini cause --since 10m\n  cassini cause web-17/nginx:443 host:db-3",
	}
	cmd.Flags().Var(since, "since", "from when on failures of connections count, as 2026-11-20T19:26:03Z or as 1h; an hour by default")
	cmd.Flags().IntVar(&limit, "limit", 5, "how `many` explanations to show")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		query := client.Query{}.Number("limit", limit).At(at.Time).With("since", begin(since, at, sys.now()).UTC().Format(time.RFC3339Nano))
		for _, name := range args {
			id, err := resolve(ctx, c, name, at.Time)
			if err != nil {
				return err
			}
			query = query.And("symptom", id)
		}
		d, err := c.Cause(ctx, query)
		if err != nil {
			return err
		}
		if a.format.value == formatJSON {
			return output.JSON(a.stdout, d)
		}
		if len(d.Symptoms) == 0 {
			fmt.Fprintln(a.stderr, "nothing ails: no host is down, no connection failed since then, no link lost its carrier")
			return nil
		}
		fmt.Fprintln(a.stdout, view.CauseTitle(d))
		return a.table(view.Cause(d), "nothing would explain that")
	})
	cmd.ValidArgsFunction = a.completeNodes(cmd, model.KindHost, model.KindService)
	return cmd
}

// begin is the moment from which on failures count: an hour before the one that is asked
// about, unless told.
func begin(since, at *atFlag, now time.Time) time.Time {
	if !since.IsZero() {
		return since.Time
	}
	return until(at, now).Add(-time.Hour)
}
