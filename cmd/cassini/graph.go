package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

func newGraph(sys *system) *cobra.Command {
	var host, kind, picture string
	var depth int
	cmd := &cobra.Command{
		Use:   "graph [NODE]",
		Short: "Show the graph, or a node and what is around it",
		Long: "Show the graph: hosts, services, processes and how they hang together. With a\n" +
			"NODE (an identifier or a part of one that is unique) only that node and what is\n" +
			"up to --depth steps away from it.",
		Example: "  cassini graph -o dot | dot -Tsvg > graph.svg\n  cassini graph --picture network -o dot | dot -Tsvg > cables.svg\n" +
			"  cassini graph -o sqlite > estate.db && sqlite3 estate.db 'select name, kernel from hosts'\n  cassini graph nginx --depth 2",
		Args: oneArg,
	}
	cmd.Flags().StringVar(&host, "host", "", "only the part of this `host`")
	cmd.Flags().StringVar(&kind, "kind", "", "only nodes or edges of this `kind`")
	cmd.Flags().StringVar(&picture, "picture", "", "a `part` that is worth a drawing: network, services or rings")
	cmd.Flags().IntVar(&depth, "depth", 1, "how many `steps` away from NODE")
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, graphFormats(), func(ctx context.Context, c *client.Client, args []string) error {
		if picture != "" && (kind != "" || len(args) > 0) {
			return usagef("--picture cannot be combined with --kind or a NODE")
		}
		if len(args) == 0 {
			if cmd.Flags().Changed("depth") {
				return usagef("--depth wants a NODE to start from")
			}
			return a.graph(ctx, c, "graph", client.Query{}.With("host", host).With("kind", kind).With("picture", picture).At(at.Time))
		}
		if host != "" || kind != "" {
			return usagef("--host and --kind cannot be combined with a NODE")
		}
		if depth < 1 {
			return usagef("--depth must be 1 or more")
		}
		id, err := resolve(ctx, c, args[0], at.Time)
		if err != nil {
			return err
		}
		return a.graph(ctx, c, "node", client.Query{}.With("id", id).Number("depth", depth).At(at.Time))
	})
	cmd.ValidArgsFunction = a.completeNodes(cmd)
	return cmd
}

func (a *asker) graph(ctx context.Context, c *client.Client, path string, q client.Query) error {
	if a.exported() {
		return c.Export(ctx, a.stdout, path, a.format.value, q)
	}
	ask := c.Graph
	if path == "node" {
		ask = c.Node
	}
	graph, err := ask(ctx, q)
	if err != nil {
		return err
	}
	if a.format.value == formatJSON {
		return output.JSON(a.stdout, model.Graph{Nodes: append([]model.Node{}, graph.Nodes...), Edges: append([]model.Edge{}, graph.Edges...)})
	}
	if err := a.table(view.Nodes(graph.Nodes), "no nodes"); err != nil || len(graph.Edges) == 0 {
		return err
	}
	fmt.Fprintln(a.stdout)
	return view.Edges(graph.Edges).Write(a.stdout, a.terminal())
}
