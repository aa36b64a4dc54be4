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

// Answers of a manager that stand.
var (
	// ErrNotServed says that the manager, an older one, does not know what it was asked.
	ErrNotServed = errors.New("the manager does not know that")
	// ErrAnother says that another machine has the name by which this one goes.
	ErrAnother = errors.New("another machine has this name")
	// ErrShutOut says that the manager does not let this host in.
	ErrShutOut = errors.New("the manager does not let this host in")

	// errUnknown says that the manager wants to know what machine this is.
	errUnknown = errors.New("the manager asks what machine this is")
)

// As has all that is sent say on what machine this agent runs, and refused hear when the
// manager finds that another machine has its name. It is called before anything is sent.
func (s *HTTPSink) As(machine func() model.Machine, refused func(error)) {
	s.machine, s.mark, s.other = machine, machine().Mark(), refused
}

// Introduce asks whether this machine is the one that has a host's name. Errors wrap
// ErrNotServed, ErrAnother or ErrShutOut, or pass.
func (s *HTTPSink) Introduce(ctx context.Context, host string, machine model.Machine) error {
	t, err := s.settle(ctx)
	if err != nil {
		return err
	}
	_, err = s.post(ctx, t, "/api/v1/enroll/machine", map[string]any{"host": host, "machine": machine})
	return err
}

// said answers a manager that asks what machine this is, and hears that another one has its
// name. It says whether to ask again what was asked.
func (s *HTTPSink) said(ctx context.Context, host string, err error) (bool, error) {
	if !errors.Is(err, errUnknown) || s.machine == nil {
		return false, s.heardOther(err)
	}
	err = s.heardOther(s.Introduce(ctx, host, s.machine()))
	return err == nil, err
}

func (s *HTTPSink) heardOther(err error) error {
	if errors.Is(err, ErrAnother) && s.other != nil {
		s.other(err)
	}
	return err
}

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
	joined, err := s.join(ctx, j)
	if again, err := s.said(ctx, j.Host, err); err != nil || !again {
		return joined, err
	}
	return s.join(ctx, j)
}

func (s *HTTPSink) join(ctx context.Context, j model.Join) (*model.Joined, error) {
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
