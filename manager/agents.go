package manager

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"cassini/model"
)

const (
	maxAgents      = 1000
	refreshTimeout = 2 * time.Second
	refreshesAtOne = 32 // agents that are asked at one time
)

// ErrAgentURL says that an agent's own address cannot be used.
var ErrAgentURL = errors.New("invalid agent URL")

// agents are those who can bring counters up to date, by host.
type agents struct {
	client *http.Client
	ctx    context.Context // of every refresh
	cancel context.CancelFunc
	flying sync.WaitGroup

	mu     sync.Mutex
	byHost map[string]*agent
	ended  bool
}

// agent is one refresher. Whoever asks gets counters that were read after it
// asked: those that come while a refresh runs share the next one.
type agent struct {
	url     string // "" for the one in this process
	refresh model.Refresher
	turn    chan struct{} // held by the refresh that runs

	mu   sync.Mutex
	next *flight // not begun yet
}

type flight struct {
	done chan struct{}
	err  error
}

func newAgents() *agents {
	ctx, cancel := context.WithCancel(context.Background())
	return &agents{
		ctx: ctx, cancel: cancel,
		byHost: make(map[string]*agent),
		client: &http.Client{
			// No proxy, no redirect, nothing kept open: agents are on loopback.
			Transport:     &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: refreshTimeout}).DialContext},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// RegisterRefresher tells who brings the counters of a host up to date, for an
// agent in this process.
func (m *Manager) RegisterRefresher(host string, r model.Refresher) {
	m.agents.mu.Lock()
	defer m.agents.mu.Unlock()
	m.agents.byHost[host] = &agent{refresh: r, turn: make(chan struct{}, 1)}
}

// RegisterAgent remembers where the agent of a host listens. Only a plain HTTP
// URL on loopback is taken; errors wrap ErrAgentURL.
func (m *Manager) RegisterAgent(host, raw string) error {
	base, err := agentURL(raw)
	if err != nil {
		return err
	}
	a := m.agents
	a.mu.Lock()
	defer a.mu.Unlock()
	known, ok := a.byHost[host]
	switch {
	case ok && (known.url == "" || known.url == base):
		return nil
	case !ok && len(a.byHost) >= maxAgents:
		return fmt.Errorf("%w: %d agents are registered already", ErrAgentURL, maxAgents)
	}
	a.byHost[host] = &agent{url: base, refresh: remote{a.client, base}, turn: make(chan struct{}, 1)}
	m.log.Info("agent registered", "host", host, "url", base)
	return nil
}

// forget forgets where the agent of a host listens, if it is another process.
func (a *agents) forget(host string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.byHost[host]; known != nil && known.url != "" {
		delete(a.byHost, host)
	}
}

func agentURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", fmt.Errorf("%w: %q", ErrAgentURL, raw)
	}
	ip, ipErr := netip.ParseAddr(u.Hostname())
	loopback := u.Hostname() == "localhost" || ipErr == nil && ip.Unmap().IsLoopback()
	if u.Scheme != "http" || !loopback || u.Port() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%w: %q: want http://127.0.0.1:PORT", ErrAgentURL, raw)
	}
	return "http://" + u.Host, nil
}

// remote is an agent in another process.
type remote struct {
	client *http.Client
	base   string
}

// Refresh implements model.Refresher.
func (r remote) Refresh(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.base+"/api/v1/refresh", nil)
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		return fmt.Errorf("%s answered %s %q", r.base, resp.Status, text)
	}
	return nil
}

// Refresh brings counters up to date: those of one host, or of all with "". It
// takes two seconds at most. The error names the hosts that did not answer.
func (m *Manager) Refresh(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	asked := m.agents.of(host)
	errs := make([]error, len(asked))
	slots := make(chan struct{}, refreshesAtOne)
	var all sync.WaitGroup
	for i, name := range asked {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := m.agents.ask(ctx, name); err != nil {
				errs[i] = fmt.Errorf("%s: %w", name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (a *agents) of(host string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var hosts []string
	for h := range a.byHost {
		if host == "" || h == host {
			hosts = append(hosts, h)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// ask waits for a refresh that began after the call.
func (a *agents) ask(ctx context.Context, host string) error {
	a.mu.Lock()
	who := a.byHost[host]
	if who == nil || a.ended {
		a.mu.Unlock()
		return nil
	}
	f := who.join(a)
	a.mu.Unlock()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return fmt.Errorf("no answer within %v", refreshTimeout)
	}
}

// join returns the flight that has not begun, and starts one if there is none.
func (g *agent) join(a *agents) *flight {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next == nil {
		f := &flight{done: make(chan struct{})}
		g.next = f
		a.flying.Go(func() { g.fly(a.ctx, f) })
	}
	return g.next
}

func (g *agent) fly(ctx context.Context, f *flight) {
	g.turn <- struct{}{}
	defer func() { <-g.turn }()
	g.mu.Lock()
	g.next = nil // who comes from now on may be too late for this one
	g.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	f.err = g.refresh.Refresh(ctx)
	close(f.done)
}

// stop ends refreshes under way and waits for them.
func (a *agents) stop() {
	a.mu.Lock()
	a.ended = true
	a.mu.Unlock()
	a.cancel()
	a.flying.Wait()
	a.client.CloseIdleConnections()
}
