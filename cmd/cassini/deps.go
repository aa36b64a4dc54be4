package main

import (
	"context"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

// depsFlags say which dependencies of a node are wanted.
type depsFlags struct {
	host     string
	up, down bool
	depth    int
	at       *atFlag
}

func newDeps(sys *system) *cobra.Command {
	var f depsFlags
	cmd := &cobra.Command{
		Use:   "deps [NODE]",
		Short: "Show who is client of whom",
		Long: "Show who is client of whom. With a NODE (a service, a process or a host; an\n" +
			"identifier or a part of one that is unique) only what it depends on and who\n" +
			"depends on it, directly or up to --depth steps away.",
		Example: "  cassini deps\n  cassini deps nginx --up --depth 3\n  cassini deps -o dot | dot -Tsvg > deps.svg",
		Args:    oneArg,
	}
	cmd.Flags().StringVar(&f.host, "host", "", "only dependencies of this `host`")
	cmd.Flags().BoolVar(&f.up, "up", false, "who depends on NODE")
	cmd.Flags().BoolVar(&f.down, "down", false, "what NODE depends on")
	cmd.Flags().IntVar(&f.depth, "depth", 1, "how many `steps` away from NODE")
	f.at = addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, graphFormats(), func(ctx context.Context, c *client.Client, args []string) error {
		query, err := f.query(ctx, cmd, c, args)
		if err != nil {
			return err
		}
		return a.deps(ctx, c, query, len(args) > 0)
	})
	cmd.ValidArgsFunction = a.completeNodes(cmd, model.KindService, model.KindProcess, model.KindHost)
	return cmd
}

func (f *depsFlags) query(ctx context.Context, cmd *cobra.Command, c *client.Client, args []string) (client.Query, error) {
	q := client.Query{}.With("host", f.host).At(f.at.Time)
	if len(args) == 0 {
		if f.up || f.down || cmd.Flags().Changed("depth") {
			return nil, usagef("--up, --down and --depth want a NODE to start from")
		}
		return q, nil
	}
	if f.depth < 1 {
		return nil, usagef("--depth must be 1 or more")
	}
	id, err := resolve(ctx, c, args[0], f.at.Time)
	return q.With("of", id).With("direction", f.direction()).Number("depth", f.depth), err
}

func (f *depsFlags) direction() string {
	switch {
	case f.up && !f.down:
		return "up"
	case f.down && !f.up:
		return "down"
	}
	return "both"
}

func (a *asker) deps(ctx context.Context, c *client.Client, q client.Query, ofNode bool) error {
	if a.exported() {
		if ofNode {
			return c.Export(ctx, a.stdout, "dependencies", a.format.value, q)
		}
		return c.Export(ctx, a.stdout, "graph", a.format.value, q.With("kind", model.EdgeDependsOn))
	}
	deps, err := c.Dependencies(ctx, q)
	if err != nil {
		return err
	}
	if a.format.value == formatJSON {
		for i := range deps {
			deps[i].SeenBy = append([]string{}, deps[i].SeenBy...)
		}
		return output.JSONArray(a.stdout, deps)
	}
	return a.table(view.Dependencies(deps, a.now()), "no dependencies")
}
