package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/kernel-tests/undertest"
	"cassini/manager/alerts"
	"cassini/model"

	"go.uber.org/goleak"
)

// binary is the one under test.
var binary string

func TestMain(m *testing.M) {
	if _, err := exec.LookPath("prometheus-alertmanager"); err != nil {
		fmt.Fprintln(os.Stderr, "kernel-tests/alerts: NOT RUN: they need Alertmanager (Debian: apt-get install prometheus-alertmanager):", err)
		if os.Getenv("CASSINI_REQUIRE_ROOT") != "" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	code := undertest.Main(m, &binary)
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// patience is how long something may take on a machine that is busy.
const patience = 90 * time.Second

// process is one that a test starts, kills and starts again.
type process struct {
	t    *testing.T
	name string
	args []string
	log  *os.File
	cmd  *exec.Cmd
}

func newProcess(t *testing.T, name string, args ...string) *process {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, name: name, args: args, log: log}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			raw, _ := os.ReadFile(log.Name())
			t.Logf("log of %s:\n%s", filepath.Base(name), raw[max(0, len(raw)-3000):])
		}
		log.Close()
	})
	return p
}

func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.CommandContext(context.Background(), p.name, p.args...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

func get(url string, into any) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	if into == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// wait asks until there is no error.
func wait(t *testing.T, what string, ask func() error) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		err := ask()
		if err == nil {
			return
		}
		if time.Since(begin) > patience {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// alertmanager is Debian's.
type alertmanager struct {
	*process
	addr string
}

func newAlertmanager(t *testing.T) *alertmanager {
	t.Helper()
	dir, addr := t.TempDir(), undertest.Addr(t)
	config := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(config, []byte("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &alertmanager{addr: addr, process: newProcess(t, "prometheus-alertmanager", "--config.file="+config, "--storage.path="+dir, "--web.listen-address="+addr, "--cluster.listen-address=")}
	a.up()
	return a
}

func (a *alertmanager) up() {
	a.t.Helper()
	a.start()
	wait(a.t, "Alertmanager is ready", func() error { return get("http://"+a.addr+"/-/ready", nil) })
}

// active are alerts that it has not seen the end of, by name and host.
func (a *alertmanager) active() (map[string]map[string]string, error) {
	var list []struct {
		Labels, Annotations map[string]string
	}
	err := get("http://"+a.addr+"/api/v2/alerts", &list)
	found := make(map[string]map[string]string)
	for _, x := range list {
		found[x.Labels["alertname"]+" "+x.Labels["host"]] = x.Annotations
	}
	return found, err
}

// hook is a webhook that remembers the last status of each incident's first subject.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	status map[string]string
	slow   time.Duration
	badly  int // signatures that are wrong
}

func newHook(t *testing.T, secret string) *hook {
	h := &hook{status: make(map[string]string)}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var m alerts.Message
		err := json.Unmarshal(body, &m)
		h.mu.Lock()
		slow := h.slow
		if err != nil || r.Header.Get(alerts.HeaderSignature) != alerts.Sign([]byte(secret), body, m.Sent) {
			h.badly++
		} else {
			h.status[m.Incident.Subjects[0]] = m.Status
		}
		h.mu.Unlock()
		time.Sleep(slow)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) is(subject, status string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if got := h.status[subject]; got != status {
		return fmt.Errorf("%s is %q, want %q", subject, got, status)
	}
	return nil
}

// manager is the one under test.
type manager struct {
	*process
	addr  string
	count uint64
}

func newManager(t *testing.T, args ...string) *manager {
	t.Helper()
	addr := undertest.Addr(t)
	m := &manager{addr: addr, process: newProcess(t, binary, append([]string{"manager", "--listen", addr, "--data-dir", t.TempDir(), "--config", os.DevNull}, args...)...)}
	m.up()
	return m
}

func (m *manager) up() {
	m.t.Helper()
	m.start()
	wait(m.t, "the manager is ready", func() error { return get("http://"+m.addr+"/-/ready", nil) })
}

// tell brings a verdict, as an agent does.
func (m *manager) tell(kind model.VerdictKind, host string) {
	m.t.Helper()
	m.count++
	v := model.Verdict{
		ID: model.ReportID{Reporter: "watcher", Incarnation: 1, Sequence: m.count}, Kind: kind, At: time.Now(),
		Subject: model.RingMember{Host: host, Incarnation: 1}, Evidence: model.Evidence{Silent: 3 * time.Second},
	}
	if kind == model.VerdictCorrected {
		v.Evidence.Clue = "restarted"
	}
	doc, err := model.VerdictDocument(v, "watcher")
	if err != nil {
		m.t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"host": "watcher", "documents": []model.Document{doc}})
	if err != nil {
		m.t.Fatal(err)
	}
	wait(m.t, "the manager takes a verdict", func() error {
		resp, err := http.Post("http://"+m.addr+"/api/v1/documents", "application/json", bytes.NewReader(body))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", resp.Status, text)
		}
		return nil
	})
}

// cassini asks as a person does.
func (m *manager) cassini(args ...string) string {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), binary, append(args, "--config", os.DevNull)...)
	cmd.Env = append(os.Environ(), "CASSINI_API=http://"+m.addr, "USER=ann")
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Fatalf("cassini %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (m *manager) metrics(t *testing.T) string {
	t.Helper()
	resp, err := http.Get("http://" + m.addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
