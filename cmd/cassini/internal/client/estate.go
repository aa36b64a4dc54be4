package client

import (
	"context"

	"cassini/model"
)

// Cycles asks for services that depend on each other in circles. Parameters: at.
func (c *Client) Cycles(ctx context.Context, q Query) ([]model.Cycle, error) {
	return get[[]model.Cycle](ctx, c, "cycles", q)
}

// Unmonitored asks what nobody watches. Parameters: at.
func (c *Client) Unmonitored(ctx context.Context, q Query) ([]model.Unmonitored, error) {
	return get[[]model.Unmonitored](ctx, c, "unmonitored", q)
}

// Versions asks for kernels, systems and agents of hosts. Parameters: at.
func (c *Client) Versions(ctx context.Context, q Query) ([]model.Version, error) {
	return get[[]model.Version](ctx, c, "versions", q)
}

// Host asks for all that is known of a host. Parameters: host, limit, at.
func (c *Client) Host(ctx context.Context, q Query) (model.Page, error) {
	return get[model.Page](ctx, c, "host", q)
}

// Service asks for all that is known of a service. Parameters: id, limit, at.
func (c *Client) Service(ctx context.Context, q Query) (model.Page, error) {
	return get[model.Page](ctx, c, "service", q)
}

// Programs asks for programs of hosts. Parameters: host, prefix, at.
func (c *Client) Programs(ctx context.Context, q Query) ([]model.ProgramView, error) {
	return get[[]model.ProgramView](ctx, c, "programs", q)
}

// Cards asks for network cards by maker. Parameters: host, at.
func (c *Client) Cards(ctx context.Context, q Query) ([]model.Card, error) {
	return get[[]model.Card](ctx, c, "cards", q)
}

// Unknown asks for what no agent knows. Parameters: at.
func (c *Client) Unknown(ctx context.Context, q Query) ([]model.UnknownNode, error) {
	return get[[]model.UnknownNode](ctx, c, "unknown", q)
}

// WhoTalksTo asks who is client of a node. Parameters: of, depth, at.
func (c *Client) WhoTalksTo(ctx context.Context, q Query) ([]model.DependencyView, error) {
	return get[[]model.DependencyView](ctx, c, "who-talks-to", q)
}

// Addresses asks for IP addresses and who has each. Parameters: state, at.
func (c *Client) Addresses(ctx context.Context, q Query) ([]model.Address, error) {
	return get[[]model.Address](ctx, c, "addresses", q)
}
