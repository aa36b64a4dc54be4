package main

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/manager/audit"
)

func newAudit(sys *system) *cobra.Command {
	var who, action, target, result string
	var since time.Duration
	var limit int
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who changed what, when, from where and with what result",
		Long: "Show who changed what, when, from where and with what result: tokens, revocations, keys, silences,\n" +
			"acknowledgements, configuration, and what was refused. For admins. The newest come first.",
		Example: "  cassini audit\n  cassini audit --since 24h --result refused\n  cassini audit --action token.create -o json",
		Args:    noArgs,
	}
	flags := cmd.Flags()
	flags.StringVar(&who, "who", "", "only what `somebody` did, as it is shown")
	flags.StringVar(&action, "action", "", "only this `action`, such as token.create")
	flags.StringVar(&target, "target", "", "only what was done to this `thing`: a token's ID, a host, ...")
	flags.StringVar(&result, "result", "", "only with this `result`: done, refused, failed")
	flags.DurationVar(&since, "since", 0, "only what was done in so long until now")
	flags.IntVar(&limit, "limit", 100, "at most so many")
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		if limit < 1 || since < 0 {
			return usagef("--limit must be 1 or more, and --since a duration above 0")
		}
		query := client.Query{}.With("who", who).With("action", action).With("target", target).With("result", result).Number("limit", limit)
		if since > 0 {
			query = query.With("since", sys.now().Add(-since).UTC().Format(time.RFC3339Nano))
		}
		list, err := client.Get[[]audit.Entry](ctx, c, "audit", query)
		return answer(a, list, err, a.auditTable, "nothing was done")
	})
	return cmd
}

func (a *asker) auditTable(list []audit.Entry) *output.Table {
	t := output.Columns("WHEN", "WHO", "FROM", "ACTION", "TARGET", "RESULT", "DETAIL").Shrink("DETAIL")
	for _, e := range list {
		style := map[string]output.Style{audit.Refused: output.Yellow, audit.Failed: output.Red}[e.Result]
		result, detail := e.Result, e.Detail
		if e.Result != audit.Done && e.Status != 0 {
			result += " (" + strconv.Itoa(e.Status) + ")"
		}
		if e.Why != "" {
			detail = e.Why
		}
		t.Add(style, output.Text(a.moment(e.At), e.Who, dash(e.From), e.Action, dash(e.Target), result, dash(detail))...)
	}
	return t
}
