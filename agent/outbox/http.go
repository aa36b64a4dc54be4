package outbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"cassini/model"
	"cassini/model/delivery"
)

// maxRetryAfter bounds how long a manager can put this agent off, in seconds.
const maxRetryAfter = 300

// maxAnswer bounds what is read of an answer, in bytes, decompressed too.
const maxAnswer = 256 << 20

// HTTPSink brings documents to a manager in another process, in a version of the protocol
// that both speak. Safe for concurrent use.
type HTTPSink struct {
	base     string // of the manager, without a slash at the end
	agentURL string
	client   *http.Client
	codec    *delivery.Codec
	ours     delivery.Range
	machine  func() model.Machine // nil: it says nothing of the machine
	mark     string               // of it
	other    func(error)          // hears that another machine has this one's name

	mu     sync.Mutex
	terms  terms
	sent   model.SentStats
	opened time.Time // when connections were last begun anew
}

// terms are what the manager said last of what it takes.
type terms struct {
	version int // 0: not known
	zstd    bool
}

// NewHTTPSink makes a sink for the manager at base (http://127.0.0.1:1984).
// agentURL is where the manager may ask this agent for fresh counters, "" for
// nowhere. Connections are not kept open while nothing is sent.
func NewHTTPSink(base, agentURL string) *HTTPSink {
	return newSink(base, agentURL, &http.Transport{DisableKeepAlives: true})
}

func newSink(base, agentURL string, t *http.Transport) *HTTPSink {
	codec, err := delivery.NewCodec(maxAnswer)
	if err != nil { // its settings are constants
		panic(err)
	}
	return &HTTPSink{
		base:     strings.TrimSuffix(base, "/"),
		agentURL: agentURL,
		codec:    codec,
		ours:     delivery.Ours(),
		opened:   time.Now(),
		// A manager does not move; what is sent is for it alone.
		client: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// Deliver sends a batch; see model.Sink. To a manager of protocol 1 its documents go
// without numbers.
func (s *HTTPSink) Deliver(ctx context.Context, b model.Batch) (receipt model.Receipt, err error) {
	if len(b.Documents) == 0 && b.Check == nil {
		return receipt, nil
	}
	t, err := s.settle(ctx)
	if err != nil {
		return receipt, err
	}
	if t.version < delivery.Numbered && len(b.Documents) == 0 {
		return receipt, nil // it compares nothing
	}
	path, body := "/api/v1/deliveries", any(delivery.Body{Host: b.Host, Position: b.First, Documents: b.Documents, Check: b.Check})
	if t.version < delivery.Numbered || b.First == (model.Position{}) {
		path, body = "/api/v1/documents", map[string]any{"host": b.Host, "documents": b.Documents}
	}
	raw, err := s.post(ctx, t, path, body)
	if again, errSaid := s.said(ctx, b.Host, err); again {
		raw, err = s.post(ctx, t, path, body)
	} else {
		err = errSaid
	}
	if err != nil || path == "/api/v1/documents" {
		return receipt, err
	}
	if err := json.Unmarshal(raw, &receipt); err != nil {
		return receipt, fmt.Errorf("decode the manager's receipt: %w", err)
	}
	return receipt, nil
}

// post sends a value as JSON, compressed where the manager takes that.
func (s *HTTPSink) post(ctx context.Context, t terms, path string, v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode documents: %w", err)
	}
	wire, small := body, false
	if t.zstd {
		wire, small = s.codec.Compress(body)
	}
	if !small {
		wire = body
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+path, bytes.NewReader(wire))
	if err != nil {
		return nil, fmt.Errorf("send documents: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if small {
		req.Header.Set("Content-Encoding", delivery.Encoding)
	}
	if s.agentURL != "" {
		req.Header.Set("Cassini-Agent-Url", s.agentURL)
	}
	raw, err := s.do(req, t)
	if err == nil {
		s.mu.Lock()
		s.sent.Bytes += uint64(len(body))
		s.sent.WireBytes += uint64(len(wire))
		s.mu.Unlock()
	}
	return raw, err
}

// Latest asks what the manager remembers of a host; see model.Sink.
func (s *HTTPSink) Latest(ctx context.Context, host string) ([]model.Document, error) {
	var docs []model.Document
	if err := s.get(ctx, "/api/v1/documents?host="+url.QueryEscape(host), &docs); err != nil {
		return nil, fmt.Errorf("ask for documents: %w", err)
	}
	return docs, nil
}

// Hashes asks what the manager's documents of a host hash to; see model.Sink.
func (s *HTTPSink) Hashes(ctx context.Context, host string) ([]model.DocumentHash, error) {
	var hashes []model.DocumentHash
	if err := s.get(ctx, "/api/v1/hashes?host="+url.QueryEscape(host), &hashes); err != nil {
		return nil, fmt.Errorf("ask for hashes of documents: %w", err)
	}
	return hashes, nil
}

// get asks for a value.
func (s *HTTPSink) get(ctx context.Context, path string, v any) error {
	t, err := s.settle(ctx)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		return err
	}
	raw, err := s.do(req, t)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("decode the manager's answer: %w", err)
	}
	return nil
}

// do makes the request and turns a refusal into an error: a 400 or 413 is about
// the documents, anything else may pass.
func (s *HTTPSink) do(req *http.Request, t terms) ([]byte, error) {
	req.Header.Set(delivery.Header, strconv.Itoa(t.version))
	req.Header.Set("Accept-Encoding", delivery.Encoding)
	if s.mark != "" {
		req.Header.Set(model.MarkHeader, s.mark)
	}
	s.openAnew()
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("reach the manager: %w", err)
	}
	defer resp.Body.Close()
	raw, err := s.read(resp)
	if err != nil {
		return nil, fmt.Errorf("read the manager's answer: %w", err)
	}
	if err := s.heard(resp, t); err != nil {
		return nil, fmt.Errorf("%w (it answered %s)", err, resp.Status)
	}
	if resp.StatusCode == http.StatusOK {
		return raw, nil
	}
	s.client.CloseIdleConnections() // a new one shows the newest certificate
	return nil, refusal(resp, raw)
}

// openAnew lets go of connections from time to time. Only when one begins does each side see
// what the other shows: a certificate that was renewed, an authority that is rotated.
func (s *HTTPSink) openAnew() {
	s.mu.Lock()
	due := time.Since(s.opened) > longest
	if due {
		s.opened = time.Now()
	}
	s.mu.Unlock()
	if due {
		s.client.CloseIdleConnections()
	}
}

// refusal is what an answer says that is not 200, and nil for one that is.
func refusal(resp *http.Response, raw []byte) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	var problem struct{ Title, Detail string }
	_ = json.Unmarshal(raw, &problem) // an answer without one still has its status
	err := fmt.Errorf("manager answers %s: %s: %s", resp.Status, problem.Title, problem.Detail)
	switch resp.StatusCode {
	case http.StatusNotFound:
		return fmt.Errorf("%w: %w", ErrNotServed, err)
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return fmt.Errorf("%w: %w", model.ErrInvalidDocument, err)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %w", ErrShutOut, err)
	case http.StatusConflict:
		return fmt.Errorf("%w: %w", ErrAnother, err)
	case http.StatusPreconditionRequired:
		return fmt.Errorf("%w: %w", errUnknown, err)
	case http.StatusUpgradeRequired:
		return fmt.Errorf("%w: %w", delivery.ErrVersion, err)
	}
	if after, errAfter := strconv.Atoi(resp.Header.Get("Retry-After")); errAfter == nil && after > 0 {
		return &model.BusyError{After: time.Duration(min(after, maxRetryAfter)) * time.Second, Err: err}
	}
	return err
}

// read is the body of an answer, decompressed.
func (s *HTTPSink) read(resp *http.Response) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil || resp.Header.Get("Content-Encoding") != delivery.Encoding {
		return raw, err
	}
	return s.codec.Decompress(raw)
}

// Stats are the figures of what was sent.
func (s *HTTPSink) Stats() model.SentStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.sent
	stats.Protocol = s.terms.version
	return stats
}

// errChanged says that the manager is another than the one that was spoken to before.
var errChanged = errors.New("the manager speaks another protocol than before; asking again what it speaks")
