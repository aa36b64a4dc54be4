package outbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"

	"cassini/model"
)

// ErrNotServed says that the manager, an older one, does not know what it was asked.
var ErrNotServed = errors.New("the manager does not know that")

// Name asks what this host is called, for a manager without TLS: one with TLS says it in the
// certificate. Errors wrap ErrNotServed, or pass.
func (s *HTTPSink) Name(ctx context.Context, host string, machine model.Machine) (string, error) {
	t, err := s.settle(ctx)
	if err != nil {
		return "", err
	}
	raw, err := s.post(ctx, t, "/api/v1/enroll/name", map[string]any{"host": host, "machine": machine})
	if err != nil {
		return "", err
	}
	var named struct{ Host string }
	if err := json.Unmarshal(raw, &named); err != nil {
		return "", fmt.Errorf("decode the manager's answer: %w", err)
	}
	return named.Host, nil
}

// Join asks for this host's places in rings; for package heartbeat. The
// manager's address is the one that was reached, where the manager does not know its own.
func (s *HTTPSink) Join(ctx context.Context, j model.Join) (*model.Joined, error) {
	body, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("encode join: %w", err)
	}
	var reached netip.AddrPort
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
		if tcp, ok := c.Conn.RemoteAddr().(*net.TCPAddr); ok {
			reached = tcp.AddrPort()
		}
	}})
	t, err := s.settle(ctx)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/api/v1/rings/join", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("join rings: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	raw, err := s.do(req, t)
	if errors.Is(err, model.ErrInvalidDocument) {
		return nil, fmt.Errorf("%w: %w", model.ErrJoinRefused, err)
	}
	if err != nil {
		return nil, err
	}
	joined := &model.Joined{}
	if err := json.Unmarshal(raw, joined); err != nil {
		return nil, fmt.Errorf("decode the manager's answer: %w", err)
	}
	if joined.Manager.Addr.Addr().IsUnspecified() {
		joined.Manager.Addr = netip.AddrPortFrom(reached.Addr().Unmap(), joined.Manager.Addr.Port())
	}
	return joined, nil
}
