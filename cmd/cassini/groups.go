package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/manager/groups"
	"cassini/model"
)

// mostGroups is as many as the API tells at once.
const mostGroups = 100_000

// groupFlags say which groups are wanted.
type groupFlags struct {
	by, sort  *enum
	label     string
	since, at *atFlag
	limit     int
}

func newGroups(sys *system) *cobra.Command {
	f := groupFlags{since: &atFlag{now: sys.now}}
	cmd := &cobra.Command{
		Use:   "groups [NAME]",
		Short: "Show things by what they have in common: executable, unit, image, subnet, switch, ...",
		Long: "Show hosts, services and programs by what they have in common, with births and deaths\n" +
			"since --since, age, state and figures; the worst state first, then the most connections.\n" +
			"With a NAME (of a group, or a part of one that is unique) that group's members, and the\n" +
			"groups that it depends on or that depend on it.\n\n" +
			"Keys: " + strings.Join(model.GroupKeys(), ", ") + ".\n" +
			"label is what a host was given with the token by which it joined; --label takes one key\n" +
			"of these. Things that have nothing of the kind are the group " + groups.NoName + ".\n" +
			"Orders: " + strings.Join(groups.Sorts(), ", ") + ".",
		Example: "  cassini groups\n  cassini groups --by unit --since 1h --sort died\n  cassini groups --by image nginx\n  cassini groups --by switch core-1 --at 24h\n  cassini groups --label rack",
		Args:    oneArg,
	}
	f.by = addEnum(cmd, "by", "", "the `key`: what the things of a group have in common", model.GroupKeys()...)
	cmd.Flags().StringVar(&f.label, "label", "", "with --by label: only labels of this `key`; the groups are its values")
	f.sort = addEnum(cmd, "sort", "", "the `order` of groups", groups.Sorts()...)
	cmd.Flags().Var(f.since, "since", "from when on births and deaths count, as 2026-11-20T19:26:03Z or as 1h; a day by default")
	cmd.Flags().IntVar(&f.limit, "limit", 100, "how `many` groups, or members of one, to show")
	f.at = addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON, formatCSV}, func(ctx context.Context, c *client.Client, args []string) error {
		if f.limit < 1 {
			return usagef("--limit must be 1 or more")
		}
		if f.label != "" && !cmd.Flags().Changed("by") {
			f.by.value = model.GroupByLabel
		}
		query := client.Query{}.With("by", f.by.value).At(f.at.Time)
		if f.label != "" {
			query = query.With("label", f.label)
		}
		if !f.since.IsZero() {
			query = query.With("since", f.since.UTC().Format(time.RFC3339Nano))
		}
		if len(args) > 0 {
			if cmd.Flags().Changed("sort") {
				return usagef("--sort is of many groups, not of one")
			}
			return a.group(ctx, c, query.With("name", args[0]).Number("limit", f.limit))
		}
		return a.groups(ctx, c, query.With("sort", f.sort.value).Number("limit", min(f.limit+1, mostGroups)), f.limit)
	})
	return cmd
}

// groups shows many groups. The query asks for one more than are wanted.
func (a *asker) groups(ctx context.Context, c *client.Client, q client.Query, limit int) error {
	list, err := c.Groups(ctx, q)
	if err != nil {
		return err
	}
	if len(list) > limit {
		list = list[:limit]
		a.warn(fmt.Sprintf("there are more than %d groups: see --limit", limit))
	}
	switch a.format.value {
	case formatJSON:
		return output.JSONArray(a.stdout, list)
	case formatCSV:
		columns, rows := groups.Rows(list)
		return writeCSV(a.stdout, client.Rows{Columns: columns, Rows: anyRows(rows)})
	}
	return a.table(view.Groups(list, a.now()), "no groups")
}

// group shows one group.
func (a *asker) group(ctx context.Context, c *client.Client, q client.Query) error {
	g, err := c.Group(ctx, q)
	if err != nil {
		return err
	}
	if left := g.MemberCount - len(g.Members); left > 0 {
		a.warn(fmt.Sprintf("%s of %s members are not shown: see --limit", output.Count(left), output.Count(g.MemberCount)))
	}
	switch a.format.value {
	case formatJSON:
		return output.JSON(a.stdout, g)
	case formatCSV:
		columns, rows := groups.MemberRows(g)
		return writeCSV(a.stdout, client.Rows{Columns: columns, Rows: anyRows(rows)})
	}
	fmt.Fprintln(a.stdout, view.GroupTitle(g, a.now())+"\n")
	if err := a.table(view.GroupMembers(g, a.now()), "no members"); err != nil {
		return err
	}
	if len(g.DependsOn)+len(g.UsedBy) == 0 {
		return nil
	}
	fmt.Fprintln(a.stdout)
	return a.table(view.GroupLinks(g), "")
}

func anyRows(rows [][]string) [][]any {
	all := make([][]any, len(rows))
	for i, row := range rows {
		for _, text := range row {
			all[i] = append(all[i], text)
		}
	}
	return all
}
