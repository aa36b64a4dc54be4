package enroll

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// link is two machines on one cable, manager and host: multicast goes no further.
type link struct {
	t     *testing.T
	names [2]string // of namespaces
}

func newLink(t *testing.T) *link {
	t.Helper()
	n := estates.Add(1)
	l := &link{t: t, names: [2]string{fmt.Sprintf("ca%d-%dm", os.Getpid(), n), fmt.Sprintf("ca%d-%dh", os.Getpid(), n)}}
	for _, name := range l.names {
		l.ip("netns", "add", name)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	}
	l.ip("-n", l.names[0], "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", l.names[1])
	for i, name := range l.names {
		l.ip("-n", name, "addr", "add", fmt.Sprintf("192.0.2.%d/24", i+1), "dev", "eth0")
		l.ip("-n", name, "link", "set", "eth0", "up")
		l.ip("-n", name, "link", "set", "lo", "up")
	}
	return l
}

func (l *link) ip(args ...string) {
	l.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		l.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// run runs the binary to its end on one of both.
func (l *link) run(on int, env string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", l.names[on], binary}, args...)...)
	cmd.Env = append(os.Environ(), "CASSINI_CONFIG="+os.DevNull, env)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), err
}

// A manager that announces itself is found by a host that knows nothing of it but a token,
// and a host that asks where nobody answers is told so.
func TestAnnounced(t *testing.T) {
	t.Parallel()
	l, data, agentData := newLink(t), t.TempDir(), t.TempDir()
	serve := exec.Command("ip", "netns", "exec", l.names[0], binary, "manager", "--announce", "--listen", "0.0.0.0:1984", "--data-dir", data, "--config", os.DevNull)
	var log bytes.Buffer
	serve.Stdout, serve.Stderr = &log, &log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop := func() {
		if !stopped {
			stopped = true
			_ = serve.Process.Signal(syscall.SIGTERM)
			_ = serve.Wait()
		}
	}
	defer stop()
	eventually := func(what string, ok func() (string, error)) string {
		t.Helper()
		var out string
		var err error
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			if out, err = ok(); err == nil {
				return out
			}
		}
		t.Fatalf("%s: %v", what, err)
		return ""
	}
	admin := func(args ...string) (string, error) {
		return l.run(0, "CASSINI_DATA_DIR="+data, append(args, "--api", "https://127.0.0.1:1984", "--token-file", filepath.Join(data, "admin.token"))...)
	}
	token := eventually("a token", func() (string, error) {
		out, err := admin("token", "create", "--role", "agent", "--limit", "2", "-o", "json")
		if err == nil && !strings.Contains(out, `"text"`) {
			err = fmt.Errorf("made %s", out)
		}
		return out, err
	})
	_, token, _ = strings.Cut(token, `"text": "`)
	token, _, _ = strings.Cut(token, `"`)
	join := func() (string, error) {
		return l.run(1, "CASSINI_TOKEN="+token, "join", "--manager", "srv:local", "--data-dir", agentData)
	}
	if out := eventually("join", join); !strings.Contains(out, "renewed by the agent: cassini agent --manager srv:local") {
		t.Errorf("join says %s", out)
	}
	stop()
	if _, err := join(); err == nil || !strings.Contains(err.Error(), "nobody answered for _cassini._tcp.local; is it in this network, and does it run with --announce?") {
		t.Errorf("without a manager it says %v", err)
	}
	if !strings.Contains(log.String(), "agents find this manager by --manager srv:local") {
		t.Errorf("the manager says %s", log.String())
	}
}
