package dashboards

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cassini/tools/estate"

	"golang.org/x/sys/unix"
)

const (
	managerHost = "manager"
	managerPort = "1984"
	agentPort   = "1985"
	promPort    = "9090"
)

// patience ends a wait for what never comes; it is no measure of speed.
const patience = 5 * time.Minute

// rig is an estate whose hosts run agents, whose manager's host captures as well, and a
// Prometheus beside the manager.
type rig struct {
	t      *testing.T
	estate *estate.Estate
	dir    string
	client *http.Client
	procs  map[string]*process
}

type process struct {
	cmd  *estate.Cmd
	done chan struct{}
}

func newRig(t *testing.T, switches, hosts int) *rig {
	t.Helper()
	e, err := estate.New(estate.Config{Prefix: fmt.Sprintf("cd%d", os.Getpid()), Switches: switches, HostsPerSwitch: hosts})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, estate: e, dir: t.TempDir(), procs: make(map[string]*process)}
	t.Cleanup(r.close)
	r.client = &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DialContext: r.dial}}
	r.start(managerHost, binary, "run", "--listen", "0.0.0.0:"+managerPort, "--config", os.DevNull, "--data-dir", r.data(managerHost), "--insecure")
	r.wait("the manager answers", patience, func() error { return r.get(r.url(managerPort, "/api/v1/rings"), nil) })
	for _, h := range e.Hosts() {
		r.startAgent(h.Name)
	}
	return r
}

func (r *rig) startAgent(host string) {
	r.t.Helper()
	r.start(host, binary, "agent", "--manager", r.url(managerPort, ""), "--liveness-only", "--listen", "0.0.0.0:"+agentPort,
		"--config", os.DevNull, "--data-dir", r.data(host), "--insecure")
}

func (r *rig) data(host string) string { return filepath.Join(r.dir, host) }

// start runs a program on a host. Its output is in a file of its base name and host.
func (r *rig) start(host, program string, args ...string) {
	r.t.Helper()
	name := filepath.Base(program) + "@" + host
	log, err := os.OpenFile(filepath.Join(r.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := r.estate.Command(context.Background(), host, append([]string{program}, args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		log.Close()
		close(p.done)
	}()
	r.procs[name] = p
}

// kill ends a host's agent without a farewell.
func (r *rig) kill(host string) {
	r.t.Helper()
	p := r.procs[filepath.Base(binary)+"@"+host]
	if err := p.cmd.Process.Signal(unix.SIGKILL); err != nil {
		r.t.Fatal(err)
	}
	<-p.done
}

func (r *rig) close() {
	for name, p := range r.procs {
		_ = p.cmd.Process.Kill()
		<-p.done
		if r.t.Failed() && strings.HasSuffix(name, "@"+managerHost) {
			raw, _ := os.ReadFile(filepath.Join(r.dir, name+".log"))
			r.t.Logf("log of %s:\n%s", name, raw[max(0, len(raw)-4000):])
		}
	}
	if err := r.estate.Close(); err != nil {
		r.t.Error(err)
	}
}

// dial reaches what the manager's namespace reaches.
func (r *rig) dial(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	return conn, r.estate.Do(managerHost, func() (err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		return err
	})
}

func (r *rig) url(port, path string) string {
	return "http://" + net.JoinHostPort(r.estate.Manager().Addr.String(), port) + path
}

// get decodes an answer, unless into is nil.
func (r *rig) get(url string, into any) error {
	resp, err := r.client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// wait asks until there is no error.
func (r *rig) wait(what string, limit time.Duration, ask func() error) {
	r.t.Helper()
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		err := ask()
		if err == nil {
			return
		}
		if time.Since(begin) > limit {
			r.t.Fatalf("not within %v: %s: %v", limit, what, err)
		}
	}
}

// startPrometheus scrapes, and evaluates the rules. A scrape of the manager, which asks for
// counters, takes seconds where much else runs.
func (r *rig) startPrometheus() {
	r.t.Helper()
	rules, err := filepath.Abs("../../exporter/rules")
	if err != nil {
		r.t.Fatal(err)
	}
	var config strings.Builder
	fmt.Fprintf(&config, "global: {scrape_interval: 10s, scrape_timeout: 10s, evaluation_interval: 2s}\nrule_files: [%q]\nscrape_configs:\n  - job_name: cassini\n    static_configs:\n", rules+"/*.yml")
	fmt.Fprintf(&config, "      - {targets: [%q], labels: {instance: manager}}\n", net.JoinHostPort(r.estate.Manager().Addr.String(), managerPort))
	for _, h := range r.estate.Hosts() {
		fmt.Fprintf(&config, "      - {targets: [%q], labels: {instance: %s}}\n", net.JoinHostPort(h.Addr.String(), agentPort), h.Name)
	}
	path := filepath.Join(r.dir, "prometheus.yml")
	if err := os.WriteFile(path, []byte(config.String()), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.start(managerHost, "prometheus", "--config.file="+path, "--storage.tsdb.path="+r.data("tsdb"), "--web.listen-address=0.0.0.0:"+promPort,
		"--enable-feature=native-histograms")
	r.wait("Prometheus is ready", patience, func() error { return r.get(r.url(promPort, "/-/ready"), nil) })
}

// sample is one series of an answer: a number, or a native histogram.
type sample struct {
	Metric    map[string]string
	Value     []any
	Histogram []any
}

// number says whether a sample shows anything: a number, or a histogram.
func (s sample) number() bool {
	if len(s.Histogram) == 2 {
		return true
	}
	return len(s.Value) == 2 && s.Value[1] != "NaN"
}

// query asks Prometheus.
func (r *rig) query(expr string) ([]sample, error) {
	var answer struct {
		Data struct{ Result []sample }
	}
	err := r.get(r.url(promPort, "/api/v1/query?query="+url.QueryEscape(expr)), &answer)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, err)
	}
	return answer.Data.Result, nil
}
