package client

import (
	"context"
	"encoding/json"
	"fmt"
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
	Notes   []string `json:"notes"` // what may be wrong with the question
	TookMS  int64    `json:"took_ms"`
}

// Ask asks a question in openCypher. What is wrong with it is a *Problem.
func (c *Client) Ask(ctx context.Context, q Question) (answer Rows, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return answer, fmt.Errorf("encode question: %w", err)
	}
	resp, err := c.post(ctx, "query", nil, "application/json", body)
	if err != nil {
		return answer, err
	}
	defer resp.Body.Close()
	decoder := json.NewDecoder(resp.Body)
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		return answer, fmt.Errorf("read the answer to the query: %w", err)
	}
	return answer, nil
}
