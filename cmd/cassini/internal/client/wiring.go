package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"cassini/model"
)

// Wiring holds cables against a plan in CSV, or what lldpcli wrote as JSON. Parameters:
// host, partial, at.
func (c *Client) Wiring(ctx context.Context, plan []byte, media string, q Query) (answer model.Cabling, err error) {
	resp, err := c.post(ctx, "wiring", q, media, plan)
	if err != nil {
		return answer, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return answer, fmt.Errorf("read the answer about cables: %w", errors.Join(err, ctx.Err()))
	}
	return answer, nil
}
