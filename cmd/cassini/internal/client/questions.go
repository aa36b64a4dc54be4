package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"cassini/model"
)

// Status is what a running Cassini says of itself.
type Status struct {
	Version string              `json:"version"`
	Start   time.Time           `json:"start"`
	Host    string              `json:"host"`
	Store   *model.StoreStats   `json:"store"`   // nil for an agent alone
	Graph   *model.GraphStats   `json:"graph"`   // likewise
	Capture *model.CaptureStats `json:"capture"` // nil for a manager alone
	Outbox  *model.OutboxStats  `json:"outbox"`  // likewise
	Network *model.NetworkStats `json:"network"` // likewise
}

// Services asks what listens. Parameters: host, state, program, at.
func (c *Client) Services(ctx context.Context, q Query) ([]model.Service, error) {
	return get[[]model.Service](ctx, c, "services", q)
}

// Dependencies asks who is client of whom. Parameters: host, of, direction,
// depth, at.
func (c *Client) Dependencies(ctx context.Context, q Query) ([]model.DependencyView, error) {
	return get[[]model.DependencyView](ctx, c, "dependencies", q)
}

// Interfaces asks for network interfaces. Parameters: host, at.
func (c *Client) Interfaces(ctx context.Context, q Query) ([]model.HostInterface, error) {
	return get[[]model.HostInterface](ctx, c, "interfaces", q)
}

// Routes asks for routes of hosts. Parameters: host, at.
func (c *Client) Routes(ctx context.Context, q Query) ([]model.HostRoute, error) {
	return get[[]model.HostRoute](ctx, c, "routes", q)
}

// Rules asks for routing rules of hosts. Parameters: host, at.
func (c *Client) Rules(ctx context.Context, q Query) ([]model.HostRule, error) {
	return get[[]model.HostRule](ctx, c, "rules", q)
}

// Ports asks which switch ports cables end in. Parameters: host, interface, switch,
// ended, at.
func (c *Client) Ports(ctx context.Context, q Query) ([]model.Port, error) {
	return get[[]model.Port](ctx, c, "ports", q)
}

// Switches asks for switches with the hosts on their ports. Parameters: at.
func (c *Client) Switches(ctx context.Context, q Query) ([]model.Switch, error) {
	return get[[]model.Switch](ctx, c, "switches", q)
}

// Strangers asks for machines without an agent. Parameters: at.
func (c *Client) Strangers(ctx context.Context, q Query) ([]model.Stranger, error) {
	return get[[]model.Stranger](ctx, c, "strangers", q)
}

// Uplinks asks how hosts are joined to switches. Parameters: host, single, at.
func (c *Client) Uplinks(ctx context.Context, q Query) ([]model.Uplinks, error) {
	return get[[]model.Uplinks](ctx, c, "uplinks", q)
}

// Shared asks what two hosts have in common. Parameters: a, b, at.
func (c *Client) Shared(ctx context.Context, q Query) ([]model.Shared, error) {
	return get[[]model.Shared](ctx, c, "shared", q)
}

// Overview asks for the estate on one screen. Parameters: since, limit.
func (c *Client) Overview(ctx context.Context, q Query) (model.Overview, error) {
	return get[model.Overview](ctx, c, "overview", q)
}

// Impact asks what falls when a node dies. Parameters: of, at.
func (c *Client) Impact(ctx context.Context, q Query) (model.Impact, error) {
	return get[model.Impact](ctx, c, "impact", q)
}

// SinglePoints asks what takes others along when it alone dies. Parameters: of, limit,
// at.
func (c *Client) SinglePoints(ctx context.Context, q Query) ([]model.SinglePoint, error) {
	return get[[]model.SinglePoint](ctx, c, "spof", q)
}

// Path asks for a shortest way between two nodes. Parameters: from, to, at.
func (c *Client) Path(ctx context.Context, q Query) ([]model.Step, error) {
	return get[[]model.Step](ctx, c, "path", q)
}

// Unused asks for services without a client. Parameters: host, at.
func (c *Client) Unused(ctx context.Context, q Query) ([]model.Service, error) {
	return get[[]model.Service](ctx, c, "unused", q)
}

// Exposed asks for services on every address. Parameters: host, at.
func (c *Client) Exposed(ctx context.Context, q Query) ([]model.Service, error) {
	return get[[]model.Service](ctx, c, "exposed", q)
}

// Diff asks what differs between two moments. Parameters: from, to.
func (c *Client) Diff(ctx context.Context, q Query) (model.Diff, error) {
	return get[model.Diff](ctx, c, "diff", q)
}

// Find asks where something is. Parameters: q, at.
func (c *Client) Find(ctx context.Context, q Query) ([]model.Found, error) {
	return get[[]model.Found](ctx, c, "find", q)
}

// Nodes asks for nodes of the graph. Parameters: kind, host, q, limit, at.
func (c *Client) Nodes(ctx context.Context, q Query) ([]model.Node, error) {
	return get[[]model.Node](ctx, c, "nodes", q)
}

// Node asks for a node and what is around it. Parameters: id, depth, at.
func (c *Client) Node(ctx context.Context, q Query) (model.Graph, error) {
	return get[model.Graph](ctx, c, "node", q)
}

// Graph asks for the whole graph. Parameters: kind, host, at.
func (c *Client) Graph(ctx context.Context, q Query) (model.Graph, error) {
	return get[model.Graph](ctx, c, "graph", q)
}

// Events asks for the latest events, oldest first. Parameters: kind, host,
// since, limit.
func (c *Client) Events(ctx context.Context, q Query) ([]model.Event, error) {
	return get[[]model.Event](ctx, c, "events", q)
}

// Status asks the manager about itself.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return get[Status](ctx, c, "status", nil)
}

// Export copies an answer to w as it comes: in Graphviz' language ("dot"), "graphml",
// "cytoscape" or "jsonl". path is one that can answer so: "graph", "node" or
// "dependencies".
func (c *Client) Export(ctx context.Context, w io.Writer, path, format string, q Query) error {
	resp, err := c.open(ctx, path, q.With("format", format), http.Header{"Accept": {"*/*"}})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("copy the graph: %w", err)
	}
	return nil
}

// Cause asks what explains what ails the estate. Parameters: symptom, since, limit, at.
func (c *Client) Cause(ctx context.Context, q Query) (model.Diagnosis, error) {
	return get[model.Diagnosis](ctx, c, "cause", q)
}

// Backup copies a backup of the manager. What was written counts only if it returns nil,
// and is whole (package archive says).
func (c *Client) Backup(ctx context.Context, w io.Writer) error {
	resp, err := c.open(ctx, "backup", Query{}, http.Header{"Accept": {"application/gzip"}})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("read the backup: %w", errors.Join(err, ctx.Err()))
	}
	return nil
}

// One asks for what is one thing.
func One[T any](ctx context.Context, c *Client, path string) (T, error) {
	return get[T](ctx, c, path, nil)
}
