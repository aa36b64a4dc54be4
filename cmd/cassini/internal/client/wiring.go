package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"cassini/model"
)

// Wiring holds cables against a plan in CSV, or what lldpcli wrote as JSON. Parameters:
// host, partial, at.
func (c *Client) Wiring(ctx context.Context, plan []byte, media string, q Query) (answer model.Cabling, err error) {
	target := c.base.JoinPath("api/v1/wiring")
	target.RawQuery = url.Values(q).Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(plan))
	if err != nil {
		return answer, fmt.Errorf("ask about cables: %w", err)
	}
	req.Header = http.Header{"Accept": {"application/json"}, "Content-Type": {media}, "User-Agent": {c.cfg.UserAgent}}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer, cmp.Or(ctx.Err(), error(&UnreachableError{URL: c.base.Redacted(), Err: err}))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return answer, c.problem(resp)
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return answer, fmt.Errorf("read the answer about cables: %w", errors.Join(err, ctx.Err()))
	}
	return answer, nil
}
