package rings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cassini/model"
	"cassini/tools/estate"

	"golang.org/x/sys/unix"
)

// rig is an estate with an agent on every host and a manager.
type rig struct {
	t       *testing.T
	estate  *estate.Estate
	dir     string
	binary  string
	profile string
	watch   string
	client  *http.Client

	mu    sync.Mutex
	procs map[string]*process
}

type process struct {
	cmd  *estate.Cmd
	log  *os.File
	done chan struct{}
}

func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "kernel-tests/rings: NOT RUN: they need root, for network namespaces")
		if os.Getenv("CASSINI_REQUIRE_ROOT") != "" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// build is the binary under test, made once.
var build = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("CASSINI_BINARY"); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "cassini-rings")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "cassini")
	out, err := exec.Command("go", "build", "-o", path, "cassini/cmd/cassini").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build cassini: %w\n%s", err, out)
	}
	return path, nil
})

// estates numbers those of this process: each has namespaces of its own.
var estates atomic.Int32

// newRig builds an estate and waits until its rings are whole.
func newRig(t *testing.T, switches, hosts int, options ...func(*rig)) *rig {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dir: t.TempDir(), binary: binary, profile: "standard", watch: "kernel", procs: make(map[string]*process)}
	for _, o := range options {
		o(r)
	}
	t.Parallel()
	r.estate, err = estate.New(estate.Config{Prefix: fmt.Sprintf("cr%d-%d", os.Getpid(), estates.Add(1)), Switches: switches, HostsPerSwitch: hosts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	r.client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: r.dial}}
	r.startManager()
	for _, h := range r.estate.Hosts() {
		r.startAgent(h.Name)
	}
	r.wait("rings are whole", 40*time.Second, func() error { return r.whole(switches * hosts) })
	return r
}

// dial reaches the manager from its own namespace.
func (r *rig) dial(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	return conn, r.estate.Do("manager", func() (err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		return err
	})
}

func (r *rig) close() {
	if r.t.Failed() || testing.Verbose() {
		raw, _ := os.ReadFile(filepath.Join(r.dir, "manager.log"))
		r.t.Logf("log of the manager:\n%s", tail(string(raw), 6000))
		r.t.Logf("incidents:\n%s", r.incidentsText())
	}
	r.mu.Lock()
	procs := r.procs
	r.procs = make(map[string]*process)
	r.mu.Unlock()
	for _, p := range procs {
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	if err := r.estate.Close(); err != nil {
		r.t.Error(err)
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// start runs the binary on a host.
func (r *rig) start(host string, args ...string) {
	r.t.Helper()
	log, err := os.OpenFile(filepath.Join(r.dir, host+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	args = append([]string{r.binary}, args...)
	args = append(args, "--config", os.DevNull, "--data-dir", filepath.Join(r.dir, host), "--insecure")
	cmd := r.estate.Command(context.Background(), host, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	p := &process{cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		log.Close()
		close(p.done)
	}()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.procs[host] = p
}

func (r *rig) startManager() {
	r.start("manager", "manager", "--listen", "0.0.0.0:1984", "--heartbeat-profile", r.profile)
	r.wait("the manager answers", 10*time.Second, func() error {
		var rings []model.RingHealth
		return r.get("rings", &rings)
	})
}

func (r *rig) startAgent(host string) {
	r.start(host, "agent", "--manager", r.url(""), "--liveness-only", "--heartbeat-watch", r.watch, "--log-level", "debug")
}

func (r *rig) url(path string) string {
	return "http://" + net.JoinHostPort(r.estate.Manager().Addr.String(), "1984") + path
}

// signal sends a signal to a host's agent, or to the manager.
func (r *rig) signal(host string, s unix.Signal) {
	r.t.Helper()
	r.mu.Lock()
	p := r.procs[host]
	r.mu.Unlock()
	if err := p.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
	if s == unix.SIGKILL || s == unix.SIGTERM {
		select {
		case <-p.done:
		case <-time.After(10 * time.Second):
			r.t.Fatalf("%s did not end after %v", host, s)
		}
	}
}

// crash is what a power cut does: nothing answers any more, and no farewell is sent.
func (r *rig) crash(host string) {
	r.t.Helper()
	if err := r.estate.CutLink(host); err != nil {
		r.t.Fatal(err)
	}
	r.signal(host, unix.SIGKILL)
}

func (r *rig) get(path string, into any) error {
	resp, err := r.client.Get(r.url("/api/v1/" + path))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// wait asks until there is no error.
func (r *rig) wait(what string, limit time.Duration, ask func() error) time.Duration {
	r.t.Helper()
	begin := time.Now()
	for {
		err := ask()
		if err == nil {
			return time.Since(begin)
		}
		if time.Since(begin) > limit {
			r.t.Fatalf("not within %v: %s: %v", limit, what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// whole says why the rings are not.
func (r *rig) whole(members int) error {
	var rings []model.RingHealth
	if err := r.get("rings", &rings); err != nil {
		return err
	}
	n := 0
	for _, ring := range rings {
		if ring.State != model.RingWhole {
			return fmt.Errorf("%s is %s: unwell %v, unacknowledged %v", ring.ID, ring.State, ring.Unwell, ring.Unacknowledged)
		}
		if ring.Level == 0 {
			n += len(ring.Members)
		}
	}
	if n != members {
		return fmt.Errorf("%d members, want %d", n, members)
	}
	return nil
}

// states are the hosts that are not up.
func (r *rig) states() (map[string]string, error) {
	var hosts []model.HostLiveness
	if err := r.get("liveness", &hosts); err != nil {
		return nil, err
	}
	states := make(map[string]string)
	for _, h := range hosts {
		if h.State != "up" {
			states[h.Host] = h.State
		}
	}
	return states, nil
}

// waitStates waits until exactly these hosts are not up.
func (r *rig) waitStates(limit time.Duration, want map[string]string) time.Duration {
	r.t.Helper()
	return r.wait(fmt.Sprintf("states are %v", want), limit, func() error {
		got, err := r.states()
		if err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
			err = fmt.Errorf("they are %v", got)
		}
		return err
	})
}

func (r *rig) incidents() (list []model.Incident) {
	r.t.Helper()
	if err := r.get("incidents", &list); err != nil {
		r.t.Fatal(err)
	}
	return list
}

func (r *rig) incidentsText() string {
	var list []model.Incident
	if err := r.get("incidents", &list); err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, i := range list {
		fmt.Fprintf(&b, "%s %s %s %s\n", i.Opened.Format("15:04:05.000"), i.State, i.Kind, i.Summary)
		for _, v := range i.Reports {
			fmt.Fprintf(&b, "    %s %s says %s of %s: %v %s\n", v.At.Format("15:04:05.000"), v.ID.Reporter, v.Kind, v.Subject.Host, v.Evidence.Observations, v.Evidence.Clue)
		}
	}
	return b.String()
}

// noDeaths fails when a host that lives was said to be dead.
func (r *rig) noDeaths() {
	r.t.Helper()
	for _, i := range r.incidents() {
		for _, v := range i.Reports {
			if v.Kind.Death() {
				r.t.Errorf("a death of the living: %s", r.incidentsText())
				return
			}
		}
	}
}

var errNone = errors.New("none yet")
