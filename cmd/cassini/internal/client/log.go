package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// LogRows are the answer to a question about the log. Numbers are json.Number.
type LogRows struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
	More    bool     `json:"more"` // than the limit
	Scanned uint64   `json:"scanned"`
	Matched uint64   `json:"matched"`
	Failed  uint64   `json:"failed"` // could not be worked out
	Failure string   `json:"failure,omitempty"`
}

// Log asks the log as data. Parameters: of, where, group_by, aggregate, weight, columns,
// sort, from, to, limit. What is wrong with an expression is a *Problem.
func (c *Client) Log(ctx context.Context, q Query) (answer LogRows, err error) {
	resp, err := c.open(ctx, "log", q, http.Header{"Accept": {"application/json"}})
	if err != nil {
		return answer, err
	}
	defer resp.Body.Close()
	decoder := json.NewDecoder(resp.Body)
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		return answer, fmt.Errorf("read the answer about the log: %w", errors.Join(err, ctx.Err()))
	}
	return answer, nil
}
