package outbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cassini/model"
)

// maxRetryAfter bounds how long a manager can put this agent off, in seconds.
const maxRetryAfter = 300

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 256 << 20

// HTTPSink brings documents to a manager in another process. Safe for concurrent
// use.
type HTTPSink struct {
	base     string // of the manager, without a slash at the end
	agentURL string
	client   *http.Client
}

// NewHTTPSink makes a sink for the manager at base (http://127.0.0.1:1984).
// agentURL is where the manager may ask this agent for fresh counters, "" for
// nowhere. Connections are not kept open while nothing is sent.
func NewHTTPSink(base, agentURL string) *HTTPSink {
	return &HTTPSink{
		base:     strings.TrimSuffix(base, "/"),
		agentURL: agentURL,
		client:   &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
}

// Accept sends the documents; see model.Sink.
func (s *HTTPSink) Accept(ctx context.Context, docs []model.Document) error {
	if len(docs) == 0 {
		return nil
	}
	body, err := json.Marshal(map[string]any{"host": docs[0].Host, "documents": docs})
	if err != nil {
		return fmt.Errorf("encode documents: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/api/v1/documents", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send documents: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if s.agentURL != "" {
		req.Header.Set("Cassini-Agent-Url", s.agentURL)
	}
	_, err = s.do(req)
	return err
}

// Latest asks what the manager remembers of a host; see model.Sink.
func (s *HTTPSink) Latest(ctx context.Context, host string) ([]model.Document, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/api/v1/documents?host="+url.QueryEscape(host), nil)
	if err != nil {
		return nil, fmt.Errorf("ask for documents: %w", err)
	}
	raw, err := s.do(req)
	if err != nil {
		return nil, err
	}
	var docs []model.Document
	if err := json.Unmarshal(raw, &docs); err != nil {
		return nil, fmt.Errorf("decode the manager's documents: %w", err)
	}
	return docs, nil
}

// do makes the request and turns a refusal into an error: a 400 or 413 is about
// the documents, anything else may pass.
func (s *HTTPSink) do(req *http.Request) ([]byte, error) {
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("reach the manager: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the manager's answer: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return raw, nil
	}
	var problem struct{ Title, Detail string }
	_ = json.Unmarshal(raw, &problem) // an answer without one still has its status
	err = fmt.Errorf("manager answers %s: %s: %s", resp.Status, problem.Title, problem.Detail)
	if resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusRequestEntityTooLarge {
		return nil, fmt.Errorf("%w: %w", model.ErrInvalidDocument, err)
	}
	if after, errAfter := strconv.Atoi(resp.Header.Get("Retry-After")); errAfter == nil && after > 0 {
		return nil, &model.BusyError{After: time.Duration(min(after, maxRetryAfter)) * time.Second, Err: err}
	}
	return nil, err
}
