package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/model"
)

const (
	nodesToComplete = 200
	completeTimeout = 2 * time.Second
	candidatesShown = 8
)

// resolve turns what a person calls a node into its identifier: an identifier,
// one without its kind as tables show it, an address, which is its host, or with a port its
// service, or a part that only one node has.
func resolve(ctx context.Context, c *client.Client, name string, at time.Time) (string, error) {
	if isID(name) {
		return name, nil
	}
	if id, err := resolveAddress(ctx, c, name, at); id != "" || err != nil {
		return id, err
	}
	nodes, err := c.Nodes(ctx, client.Query{}.With("q", name).Number("limit", nodesToComplete).At(at))
	if err != nil {
		return "", err
	}
	return choose(name, nodes)
}

// resolveKind is resolve for nodes of one kind.
func resolveKind(ctx context.Context, c *client.Client, kind, name string, at time.Time) (string, error) {
	if strings.HasPrefix(name, kind+":") {
		return name, nil
	}
	nodes, err := c.Nodes(ctx, client.Query{}.With("q", name).With("kind", kind).Number("limit", nodesToComplete).At(at))
	if err != nil {
		return "", err
	}
	if len(nodes) == 0 && (kind == model.KindHost || kind == model.KindService) {
		if id, err := resolve(ctx, c, name, at); err == nil && strings.HasPrefix(id, kind+":") {
			return id, nil
		}
	}
	if len(nodes) == 0 {
		return "", fmt.Errorf("no %s is called %q; 'cassini %ss' shows all", kind, name, kind)
	}
	return choose(name, nodes)
}

func kinds() []string {
	return []string{model.KindService, model.KindProcess, model.KindHost, model.KindEndpoint, model.KindUnknownHost}
}

func isID(name string) bool {
	kind, _, ok := strings.Cut(name, ":")
	return ok && slices.Contains(kinds(), kind)
}

// choose picks the node that a name means: the one whose identifier is the name
// with a kind before it, else the only switch of that name, else the only one of a host
// that is called so, else the only service, else the only program that serves or dials by
// that name, else the only node.
func choose(name string, nodes []model.Node) (string, error) {
	nodes = called(name, nodes)
	all := identifiers(nodes, func(model.Node) bool { return true })
	for _, kind := range kinds() {
		if id := kind + ":" + name; slices.Contains(all, id) {
			return id, nil
		}
	}
	for _, may := range []func(model.Node) bool{
		func(n model.Node) bool { return n.Kind == model.KindSwitch && n.Attrs["name"] == name },
		func(n model.Node) bool { return strings.HasSuffix(n.ID, "/"+name) },
		func(n model.Node) bool { return n.Kind == model.KindService },
		func(n model.Node) bool { return n.Kind == model.KindProcess && n.Attrs["program"] == name },
	} {
		if ids := identifiers(nodes, may); len(ids) == 1 {
			return ids[0], nil
		}
	}
	switch len(all) {
	case 0:
		return "", fmt.Errorf("no node is called %q; 'cassini graph' shows all", name)
	case 1:
		return all[0], nil
	}
	return "", ambiguous(name, all)
}

// called leaves out nodes that only say the name somewhere, such as in a command line, where others
// bear it.
func called(name string, nodes []model.Node) []model.Node {
	bear := slices.DeleteFunc(slices.Clone(nodes), func(n model.Node) bool {
		return !strings.Contains(strings.ToLower(n.ID), strings.ToLower(name)) && n.Attrs["program"] != name && n.Attrs["name"] != name
	})
	if len(bear) == 0 {
		return nodes
	}
	return bear
}

func identifiers(nodes []model.Node, of func(model.Node) bool) (ids []string) {
	for _, n := range nodes {
		if of(n) {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

func ambiguous(name string, ids []string) error {
	shown := ids[:min(len(ids), candidatesShown)]
	text := fmt.Sprintf("%q may be any of %s", name, strings.Join(shown, ", "))
	if more := len(ids) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return errors.New(text + "; name one of them")
}

// completeNodes offers the identifiers of nodes of some kinds (of all, when none
// is given). Without an answer in time it offers nothing.
func (a *asker) completeNodes(cmd *cobra.Command, kinds ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 || settle(cmd, a.system) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		c, err := a.client()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
		defer cancel()
		nodes, _ := c.Nodes(ctx, client.Query{}.With("q", begun).Number("limit", nodesToComplete))
		return matching(nodes, kinds, begun), cobra.ShellCompDirectiveNoFileComp
	}
}

func matching(nodes []model.Node, kinds []string, begun string) []string {
	var ids []string
	for _, n := range nodes {
		wanted := len(kinds) == 0 || slices.Contains(kinds, n.Kind)
		if wanted && strings.HasPrefix(n.ID, begun) && !strings.ContainsAny(n.ID, "\t\n") {
			ids = append(ids, n.ID)
		}
	}
	return ids
}
