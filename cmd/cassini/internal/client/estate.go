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

// Addresses asks for IP addresses and who has each. Parameters: state, at.
func (c *Client) Addresses(ctx context.Context, q Query) ([]model.Address, error) {
	return get[[]model.Address](ctx, c, "addresses", q)
}
