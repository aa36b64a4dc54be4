package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
)

// logFlags are what is asked of the log.
type logFlags struct {
	events                        bool
	where, weight, sort           string
	every                         time.Duration
	groupBy, columns, percentiles []string
	count                         bool
	sum, avg, least, greatest     []string
	p50, p90, p95, p99            []string
	limit                         int
	from, to                      *atFlag
}

func newLog(sys *system) *cobra.Command {
	f := &logFlags{from: &atFlag{now: sys.now}, to: &atFlag{now: sys.now}}
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Ask the log of documents, or events, as data: filter, group, work out",
		Long: "Ask the log of documents as data. --where is an expression in CEL (cel.dev) over package,\n" +
			"host, key, time, received, log_key, progress, gone and body; with --events over id, kind,\n" +
			"host, node, time and summary. What else is asked are expressions too, in which a name that\n" +
			"is none of these is a field of the body. Without anything to work out, single documents\n" +
			"are shown, the newest first.\n\n" +
			"The log has a document for each change: averages are over documents, not over time, unless\n" +
			"--weight says what each counts.",
		Example: "  cassini log --where 'package == \"listeners\" && body.state == \"ended\"' --from 1h\n" +
			"  cassini log --where 'package == \"dependencies\"' --group-by host --avg rtt_microseconds --p99 rtt_microseconds\n" +
			"  cassini log --events --where 'kind.startsWith(\"service\")' --every 1h --group-by kind --from 24h",
		Args: noArgs,
	}
	f.add(cmd)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON, formatCSV}, func(ctx context.Context, c *client.Client, _ []string) error {
		return a.log(ctx, c, f)
	})
	return cmd
}

func (f *logFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.events, "events", false, "ask events instead of documents")
	flags.StringVar(&f.where, "where", "", "`expression` that says which")
	flags.Var(f.from, "from", "only what was received from then on, as 2026-11-20T19:26:03Z or as 24h")
	flags.Var(f.to, "to", "only what was received until then")
	flags.StringArrayVar(&f.groupBy, "group-by", nil, "`expressions` to group by, with commas between")
	flags.DurationVar(&f.every, "every", 0, "group by time too, in buckets so `wide`, such as 1h")
	flags.BoolVar(&f.count, "count", false, "how many; what is shown of groups when nothing else is asked")
	flags.StringArrayVar(&f.sum, "sum", nil, "sum of an `expression`; this and those below may be repeated")
	flags.StringArrayVar(&f.avg, "avg", nil, "average of an `expression`")
	flags.StringArrayVar(&f.least, "min", nil, "least of an `expression`")
	flags.StringArrayVar(&f.greatest, "max", nil, "greatest of an `expression`")
	flags.StringArrayVar(&f.p50, "p50", nil, "median of an `expression`")
	flags.StringArrayVar(&f.p90, "p90", nil, "90th percentile of an `expression`")
	flags.StringArrayVar(&f.p95, "p95", nil, "95th percentile of an `expression`")
	flags.StringArrayVar(&f.p99, "p99", nil, "99th percentile of an `expression`")
	flags.StringArrayVar(&f.percentiles, "percentile", nil, "another percentile, as `N:EXPRESSION`")
	flags.StringVar(&f.weight, "weight", "", "`expression` by which a document counts in averages")
	flags.StringArrayVar(&f.columns, "columns", nil, "`expressions` to show of single documents, with commas between")
	flags.StringVar(&f.sort, "sort", "", "`columns` to sort groups by, - before those that descend")
	flags.IntVar(&f.limit, "limit", 100, "how `many` rows to show")
}

// aggregates are what is to be worked out, in the order of the flags.
func (f *logFlags) aggregates() (list []string, err error) {
	if f.count {
		list = append(list, "count")
	}
	for _, part := range []struct {
		name string
		of   []string
	}{{"sum", f.sum}, {"avg", f.avg}, {"min", f.least}, {"max", f.greatest}, {"p50", f.p50}, {"p90", f.p90}, {"p95", f.p95}, {"p99", f.p99}} {
		for _, text := range part.of {
			list = append(list, part.name+"("+text+")")
		}
	}
	for _, text := range f.percentiles {
		n, of, ok := strings.Cut(text, ":")
		if !ok {
			return nil, usagef("--percentile %q: want N:EXPRESSION, such as 99.9:rtt_microseconds", text)
		}
		list = append(list, "p"+n+"("+of+")")
	}
	return list, nil
}

func (f *logFlags) query() (client.Query, error) {
	aggregates, err := f.aggregates()
	if err != nil {
		return nil, err
	}
	if f.limit < 1 {
		return nil, usagef("--limit must be 1 or more")
	}
	groups := f.groupBy
	if f.every < 0 {
		return nil, usagef("--every must be more than nothing")
	}
	if f.every > 0 {
		when := "received"
		if f.events {
			when = "time"
		}
		groups = append([]string{fmt.Sprintf("bucket(%s, duration(%q))", when, f.every)}, groups...)
	}
	q := client.Query{}.With("where", f.where).With("group_by", strings.Join(groups, ", ")).With("aggregate", strings.Join(aggregates, ", ")).
		With("weight", f.weight).With("columns", strings.Join(f.columns, ", ")).With("sort", f.sort).Number("limit", f.limit)
	if f.events {
		q = q.With("of", "events")
	}
	for name, at := range map[string]*atFlag{"from": f.from, "to": f.to} {
		if !at.IsZero() {
			q = q.With(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	return q, nil
}

// log asks and shows the answer. Where an expression is wrong, it is shown with a mark
// under the place.
func (a *asker) log(ctx context.Context, c *client.Client, f *logFlags) error {
	q, err := f.query()
	if err != nil {
		return err
	}
	answer, err := c.Log(ctx, q)
	if p, ok := errors.AsType[*client.Problem](err); ok && p.Line > 0 && len(q[p.Code]) == 1 {
		return fmt.Errorf("%w%s", err, marked(q[p.Code][0], p.Line, p.Column))
	}
	if err != nil {
		return err
	}
	if answer.Failed > 0 {
		a.warn(fmt.Sprintf("%s of %s could not be worked out: %s", output.Count(int(answer.Failed)), output.Count(int(answer.Scanned)), answer.Failure))
	}
	if answer.More && len(q["group_by"]) > 0 { // of single documents the newest are meant
		a.warn(fmt.Sprintf("there are more than %d rows: see --limit", f.limit))
	}
	switch a.format.value {
	case formatJSON:
		return output.JSON(a.stdout, answer)
	case formatCSV:
		return writeCSV(a.stdout, client.Rows{Columns: answer.Columns, Rows: answer.Rows})
	}
	return a.table(view.Rows(answer.Columns, answer.Rows), fmt.Sprintf("nothing matches of %s", output.Count(int(answer.Scanned))))
}
