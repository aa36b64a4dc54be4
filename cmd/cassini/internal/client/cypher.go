package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Question is a question in openCypher.
type Question struct {
	Query  string         `json:"query"`
	Params map[string]any `json:"params,omitempty"`
	At     *time.Time     `json:"at,omitempty"`
}

// Rows are the answer to a Question. Numbers are json.Number, so that large ones
// keep their digits.
type Rows struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
	TookMS  int64    `json:"took_ms"`
}

// Ask asks a question in openCypher. What is wrong with it is a *Problem.
func (c *Client) Ask(ctx context.Context, q Question) (answer Rows, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return answer, fmt.Errorf("encode question: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.JoinPath("api/v1/query").String(), bytes.NewReader(body))
	if err != nil {
		return answer, fmt.Errorf("ask a query: %w", err)
	}
	req.Header = http.Header{"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {c.cfg.UserAgent}}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return answer, ctx.Err()
		}
		return answer, &UnreachableError{URL: c.base.Redacted(), Err: err}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return answer, c.problem(resp)
	}
	c.warnStale(resp)
	decoder := json.NewDecoder(resp.Body)
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		return answer, fmt.Errorf("read the answer to the query: %w", err)
	}
	return answer, nil
}
