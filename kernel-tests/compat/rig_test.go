package compat

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cassini/kernel-tests/undertest"

	"golang.org/x/sys/unix"
)

// newer and older are the paths of the binaries.
var newer, older string

func TestMain(m *testing.M) {
	undertest.NeedRoot("COMPATIBILITY", "test-compat")
	var err error
	if older, err = buildOlder(); errors.Is(err, errNoHistory) {
		fmt.Fprintln(os.Stderr, "kernel-tests/compat: NOT TRIED, VERSIONS ARE NOT COMPARED:", err)
		os.Exit(0)
	} else if err != nil {
		fmt.Fprintln(os.Stderr, "kernel-tests/compat: NOT RUN:", err)
		os.Exit(1)
	}
	os.Exit(undertest.Main(m, &newer))
}

// patience ends a wait for what never comes; it is no measure of speed.
const patience = time.Minute

func eventually(t *testing.T, what string, ok func() error) {
	t.Helper()
	begin := time.Now()
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Since(begin) > patience {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// pair is an agent and a manager on this machine, with TLS between them.
type pair struct {
	t              *testing.T
	managerBinary  string
	at, agentAt    string // where they listen
	dir, agentDir  string
	manager, agent *exec.Cmd
}

// newPair starts a manager, and an agent that joins it.
func newPair(t *testing.T, managerBinary, agentBinary string) *pair {
	t.Helper()
	p := &pair{t: t, managerBinary: managerBinary, at: undertest.Addr(t), agentAt: undertest.Addr(t), dir: t.TempDir(), agentDir: t.TempDir()}
	p.startManager(managerBinary)
	token := strings.TrimSpace(p.command("token", "create", "--role", "agent"))
	join := exec.Command(agentBinary, "join", "--manager", p.url(), "--data-dir", p.agentDir)
	join.Env = append(os.Environ(), "CASSINI_TOKEN="+token)
	if out, err := join.CombinedOutput(); err != nil {
		t.Fatalf("join: %v: %s", err, out)
	}
	p.agent = p.start("agent", agentBinary, "agent", "--manager", p.url(), "--listen", p.agentAt, "--data-dir", p.agentDir)
	return p
}

func (p *pair) url() string { return "https://" + p.at }

func (p *pair) startManager(binary string) {
	p.t.Helper()
	p.managerBinary = binary
	p.manager = p.start("manager", binary, "manager", "--tls-name", "localhost", "--listen", p.at, "--data-dir", p.dir)
	eventually(p.t, "the manager answers", func() error {
		_, err := p.ask("status")
		return err
	})
}

// start starts a program that ends with the test, and tells what it said if that failed.
func (p *pair) start(name, binary string, args ...string) *exec.Cmd {
	p.t.Helper()
	log, err := os.CreateTemp(p.t.TempDir(), name)
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), "CASSINI_CONFIG="+os.DevNull)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		p.stop(cmd)
		if raw, err := os.ReadFile(log.Name()); p.t.Failed() && err == nil {
			p.t.Logf("%s (%s) said:\n%s", name, filepath.Base(binary), raw)
		}
		log.Close()
	})
	return cmd
}

func (p *pair) stop(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		_ = cmd.Process.Signal(unix.SIGTERM)
		_ = cmd.Wait()
	}
}

// ask runs a command of the manager's version on its machine.
func (p *pair) ask(args ...string) ([]byte, error) {
	cmd := exec.Command(p.managerBinary, append(args, "--api", p.url())...)
	cmd.Env = append(os.Environ(), "CASSINI_DATA_DIR="+p.dir, "CASSINI_CONFIG="+os.DevNull)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%v: %w: %s", args, err, errs.String())
	}
	return out, nil
}

func (p *pair) command(args ...string) string {
	p.t.Helper()
	out, err := p.ask(args...)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(out)
}

// serves begins to listen on a port, and connects there itself.
func (p *pair) serves() (port int) {
	p.t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { l.Close() })
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { conn.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

// knows waits until the manager knows the service and the dependency of a port.
func (p *pair) knows(port int) {
	p.t.Helper()
	for _, list := range []string{"services", "deps"} {
		eventually(p.t, fmt.Sprintf("%s has port %d", list, port), func() error {
			out, err := p.ask(list, "-o", "json")
			if err != nil {
				return err
			}
			var all []struct {
				Port   int       `json:"port"`
				State  string    `json:"state"`
				Server *struct{} `json:"server"`
			}
			if err := json.Unmarshal(out, &all); err != nil {
				return err
			}
			for _, one := range all {
				if one.Port == port && (list == "deps" && one.Server != nil || one.State == "listening") {
					return nil
				}
			}
			return fmt.Errorf("it has %d others", len(all))
		})
	}
}

// metric is a figure of the agent, -1 where it has none of that name.
func (p *pair) metric(name string) (value float64) {
	p.t.Helper()
	resp, err := http.Get("http://" + p.agentAt + "/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(raw)
	if found == nil {
		return -1
	}
	if _, err := fmt.Sscan(string(found[1]), &value); err != nil {
		p.t.Fatal(err)
	}
	return value
}

// dropped fails where the agent lost documents.
func (p *pair) dropped() {
	p.t.Helper()
	for _, reason := range []string{"full", "refused"} {
		if n := p.metric(`cassini_outbox_dropped_total\{reason="` + reason + `"\}`); n > 0 {
			p.t.Errorf("the agent dropped %v documents: %s", n, reason)
		}
	}
}
