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
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/api/v1/rings/join", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("join rings: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	raw, err := s.do(req)
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
