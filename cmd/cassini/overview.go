package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
)

func newOverview(sys *system) *cobra.Command {
	since := &atFlag{now: sys.now}
	var limit int
	var problems bool
	cmd := &cobra.Command{
		Use:     "overview",
		Short:   "Show the estate on one screen: what is there, sick, new, gone, and must not die",
		Example: "  cassini overview\n  cassini overview --since 1h\n  cassini overview --problems",
		Args:    noArgs,
	}
	cmd.Flags().Var(since, "since", "from when on things are new, as 2026-11-20T19:26:03Z or as 1h; a day by default")
	cmd.Flags().IntVar(&limit, "limit", 5, "how `many` of each to name")
	cmd.Flags().BoolVar(&problems, "problems", false, "only what is sick, flapping or gone, up to a thousand unless --limit says else")
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		if since.IsZero() {
			since.Time = sys.now().Add(-24 * time.Hour)
		}
		query := client.Query{}.With("since", since.UTC().Format(time.RFC3339Nano))
		if problems {
			query = query.With("problems", "true")
			if !cmd.Flags().Changed("limit") {
				limit = 1000
			}
		}
		o, err := c.Overview(ctx, query.Number("limit", limit))
		if err != nil {
			return err
		}
		if a.format.value == formatJSON {
			return output.JSON(a.stdout, o)
		}
		if problems {
			return a.table(view.Problems(o, sys.now()), "no problems since "+output.Ago(since.Time, sys.now()))
		}
		return a.table(view.Overview(o, sys.now()), "nothing")
	})
	return cmd
}
