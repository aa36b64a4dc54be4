package client

import (
	"context"

	"cassini/model"
)

// Groups asks for things by what they have in common. Parameters: by, since, sort, limit,
// at.
func (c *Client) Groups(ctx context.Context, q Query) ([]model.FunctionalGroup, error) {
	return get[[]model.FunctionalGroup](ctx, c, "groups", q)
}

// Group asks for one group with its members. Parameters: by, name, since, limit, at.
func (c *Client) Group(ctx context.Context, q Query) (model.FunctionalGroup, error) {
	return get[model.FunctionalGroup](ctx, c, "group", q)
}
