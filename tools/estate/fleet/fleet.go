// Package fleet runs Cassini on an estate: a manager, and an agent on every host. It
// serves the demo, the tests of rings and the benchmarks. Agents discover nothing: all
// hosts of an estate share one kernel, and each would see the programs of all.
package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"cassini/tools/estate"

	"golang.org/x/sys/unix"
)

// Config is what New needs.
type Config struct {
	Estate  *estate.Estate
	Binary  string // cassini
	Dir     string // for data and logs: Dir/HOST, Dir/HOST.log
	Profile string // of heartbeats: "standard" or "fast"; "" is standard
	Watch   string // of heartbeats: "auto", "kernel" or "user"; "" is auto
	Reflect bool   // the kernel answers for agents
}

// ManagerPort is where the manager listens, TCP and UDP, AgentPort where agents hear
// heartbeats.
const (
	ManagerPort = "1984"
	AgentPort   = "1985"
)

// ErrNotRunning says that a host's program does not run.
var ErrNotRunning = errors.New("it does not run")

// Fleet is safe for concurrent use.
type Fleet struct {
	cfg    Config
	client *http.Client

	mu    sync.Mutex
	procs map[string]*process
}

type process struct {
	cmd  *estate.Cmd
	done chan struct{}
}

// New makes a fleet of which nothing runs yet.
func New(cfg Config) *Fleet {
	f := &Fleet{cfg: cfg, procs: make(map[string]*process)}
	f.client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: f.Dial}}
	return f
}

// Manager is the name of the manager's host.
const Manager = "manager"

// Dial connects from the manager's namespace.
func (f *Fleet) Dial(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	return conn, f.cfg.Estate.Do(Manager, func() (err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		return err
	})
}

// ManagerAddr is HOST:PORT of the manager's API.
func (f *Fleet) ManagerAddr() string {
	return net.JoinHostPort(f.cfg.Estate.Manager().Addr.String(), ManagerPort)
}

// Client reaches the manager.
func (f *Fleet) Client() *http.Client { return f.client }

// Get asks the manager's API: GET /api/v1/PATH.
func (f *Fleet) Get(path string, into any) error {
	resp, err := f.client.Get("http://" + f.ManagerAddr() + "/api/v1/" + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// StartManager starts the manager.
func (f *Fleet) StartManager() error {
	args := []string{"manager", "--listen", "0.0.0.0:" + ManagerPort}
	if f.cfg.Profile != "" {
		args = append(args, "--heartbeat-profile", f.cfg.Profile)
	}
	return f.start(Manager, args...)
}

// StartAgent starts the agent of a host.
func (f *Fleet) StartAgent(host string) error {
	args := []string{"agent", "--listen", "127.0.0.1:" + AgentPort, "--manager", "http://" + f.ManagerAddr(), "--liveness-only", "--heartbeat-reflector=" + strconv.FormatBool(f.cfg.Reflect)}
	if f.cfg.Watch != "" {
		args = append(args, "--heartbeat-watch", f.cfg.Watch)
	}
	return f.start(host, args...)
}

// LogPath is the file of what a host's program says.
func (f *Fleet) LogPath(host string) string { return filepath.Join(f.cfg.Dir, host+".log") }

func (f *Fleet) start(host string, args ...string) error {
	log, err := os.OpenFile(f.LogPath(host), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start %s: %w", host, err)
	}
	args = append([]string{f.cfg.Binary}, args...)
	args = append(args, "--config", os.DevNull, "--data-dir", filepath.Join(f.cfg.Dir, host), "--insecure")
	cmd := f.cfg.Estate.Command(context.Background(), host, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("start %s: %w", host, err), log.Close())
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() { // ends with the program
		_ = cmd.Wait()
		log.Close()
		close(p.done)
	}()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.procs[host] = p
	return nil
}

// PID is the process of a host's program.
func (f *Fleet) PID(host string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.procs[host]
	if p == nil {
		return 0, fmt.Errorf("%s: %w", host, ErrNotRunning)
	}
	return p.cmd.Process.Pid, nil
}

// Signal sends a signal, and waits for the end after one that asks for it.
func (f *Fleet) Signal(host string, s unix.Signal) error {
	f.mu.Lock()
	p := f.procs[host]
	f.mu.Unlock()
	if p == nil {
		return fmt.Errorf("signal %s: %w", host, ErrNotRunning)
	}
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("signal %s: %w", host, err)
	}
	if s != unix.SIGKILL && s != unix.SIGTERM && s != unix.SIGPWR {
		return nil
	}
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		return fmt.Errorf("%s did not end after %v", host, s)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.procs[host] == p {
		delete(f.procs, host)
	}
	return nil
}

// Crash does to a host what a power cut does: nothing answers any more, and no farewell
// is sent.
func (f *Fleet) Crash(host string) error {
	if err := f.cfg.Estate.CutLink(host); err != nil {
		return err
	}
	err := f.Signal(host, unix.SIGKILL)
	if errors.Is(err, ErrNotRunning) {
		return nil
	}
	return err
}

// Boot starts a host that crashed.
func (f *Fleet) Boot(host string) error {
	return errors.Join(f.cfg.Estate.MendLink(host), f.StartAgent(host))
}

// Close ends all programs; the estate stays.
func (f *Fleet) Close() {
	f.mu.Lock()
	procs := f.procs
	f.procs = make(map[string]*process)
	f.mu.Unlock()
	for _, p := range procs {
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}
