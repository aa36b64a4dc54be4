package client

import (
	"context"

	"cassini/model"
)

// Rings asks for the rings with their members in order.
func (c *Client) Rings(ctx context.Context) ([]model.RingHealth, error) {
	return get[[]model.RingHealth](ctx, c, "rings", Query{})
}

// Liveness asks which hosts are up, and who watches each. Parameters: host, state.
func (c *Client) Liveness(ctx context.Context, q Query) ([]model.HostLiveness, error) {
	return get[[]model.HostLiveness](ctx, c, "liveness", q)
}

// Incidents asks what died, the newest first. Parameters: open, limit, at.
func (c *Client) Incidents(ctx context.Context, q Query) ([]model.Incident, error) {
	return get[[]model.Incident](ctx, c, "incidents", q)
}
