package enroll

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	agentenroll "cassini/agent/enroll"
	"cassini/kernel-tests/undertest"
	"cassini/model"
	"cassini/tools/estate"

	"golang.org/x/sys/unix"
)

const (
	manager     = "manager"
	managerPort = "1984"
)

// patience ends a wait for what never comes; it is no measure of speed.
const patience = 3 * time.Minute

func TestMain(m *testing.M) {
	undertest.NeedRoot("ENROLMENT", "test-enroll")
	os.Exit(undertest.Main(m, &binary))
}

// binary is the path of the binary under test.
var binary string

// estates numbers those of this process.
var estates atomic.Int32

// rig is an estate with a manager that serves TLS, and agents that a test starts.
type rig struct {
	t      *testing.T
	estate *estate.Estate
	binary string
	dir    string
	config string // of the manager
	scheme string // of its URL
	viewer string // a token, where a test made one

	patience time.Duration

	running map[string]*program
	lives   map[string]model.Incarnation // of hosts that were up
}

type program struct {
	cmd  *estate.Cmd
	done chan struct{}
}

// newRig starts the manager with a configuration file of this content.
func newRig(t *testing.T, hosts int, config string) *rig {
	t.Helper()
	t.Parallel()
	r := &rig{t: t, binary: binary, dir: t.TempDir(), scheme: "https", patience: patience, running: make(map[string]*program)}
	if strings.Contains(config, "insecure: true") {
		r.scheme = "http"
	}
	r.config = filepath.Join(r.dir, "manager.yaml")
	if err := os.WriteFile(r.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	r.estate, err = estate.New(estate.Config{Prefix: fmt.Sprintf("ce%d-%d", os.Getpid(), estates.Add(1)), Switches: 1, HostsPerSwitch: hosts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	r.startManager()
	return r
}

func (r *rig) close() {
	for host := range r.running {
		r.stop(host, unix.SIGKILL)
		if r.t.Failed() || testing.Verbose() {
			r.t.Logf("log of %s:\n%s", host, r.log(host))
		}
	}
	if err := r.estate.Close(); err != nil {
		r.t.Error(err)
	}
}

func (r *rig) data(host string) string { return filepath.Join(r.dir, host) }

func (r *rig) url() string {
	return r.scheme + "://" + net.JoinHostPort(r.estate.Manager().Addr.String(), managerPort)
}

func (r *rig) log(host string) string {
	raw, _ := os.ReadFile(filepath.Join(r.dir, host+".log"))
	return string(raw)
}

func (r *rig) startManager() {
	r.t.Helper()
	r.start(manager, "manager", "--listen", "0.0.0.0:"+managerPort, "--config", r.config, "--data-dir", r.data(manager))
	r.wait("the manager answers", func() error {
		_, err := r.admin("status")
		return err
	})
}

func (r *rig) startAgent(host string) {
	r.t.Helper()
	r.start(host, r.agent(host)...)
}

func (r *rig) agent(host string) []string {
	return []string{"agent", "--manager", r.url(), "--liveness-only", "--config", os.DevNull, "--data-dir", r.data(host)}
}

// start starts a program whose log is kept.
func (r *rig) start(host string, args ...string) {
	r.t.Helper()
	r.exec(host, append([]string{r.binary}, args...))
}

// exec is start for any program.
func (r *rig) exec(host string, argv []string) {
	r.t.Helper()
	r.launch(host, r.estate.Command(context.Background(), host, argv...))
}

// launch is start for a program of which more is set.
func (r *rig) launch(host string, cmd *estate.Cmd) {
	r.t.Helper()
	log, err := os.OpenFile(filepath.Join(r.dir, host+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	p := &program{cmd, make(chan struct{})}
	go func() { // ends with the program
		_ = cmd.Wait()
		log.Close()
		close(p.done)
	}()
	r.running[host] = p
}

func (r *rig) stop(host string, s unix.Signal) {
	r.t.Helper()
	p := r.running[host]
	_ = p.cmd.Process.Signal(s)
	select {
	case <-p.done:
	case <-time.After(patience):
		r.t.Fatalf("%s does not end", host)
	}
}

// run runs a command line to its end, on a host.
func (r *rig) run(host string, env []string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := r.estate.Command(ctx, host, append([]string{r.binary}, args...)...)
	cmd.Env = append([]string{"CASSINI_CONFIG=" + os.DevNull}, env...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s on %s: %w: %s", args[0], host, err, errs.String())
	}
	return out.String(), nil
}

// admin runs a command on the manager's machine, where its token is found.
func (r *rig) admin(args ...string) (string, error) {
	return r.run(manager, []string{"CASSINI_DATA_DIR=" + r.data(manager)}, args...)
}

func (r *rig) token(args ...string) string {
	r.t.Helper()
	out, err := r.admin(append([]string{"token", "create"}, args...)...)
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

func (r *rig) join(host, token string, more ...string) error {
	args := append([]string{"join", "--manager", r.url(), "--data-dir", r.data(host)}, more...)
	_, err := r.run(host, []string{"CASSINI_TOKEN=" + token}, args...)
	return err
}

// refused fails unless an error has a text.
func (r *rig) refused(err error, text string) {
	r.t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		r.t.Errorf("got %v, want %q", err, text)
	}
}

// wait asks until there is no error.
func (r *rig) wait(what string, ask func() error) {
	r.t.Helper()
	begin := time.Now()
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Since(begin) > r.patience {
			r.t.Fatalf("not within %v: %s: %v", r.patience, what, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// rings are those that "rings -o json" printed.
func rings(out string, err error) (list []model.RingHealth, _ error) {
	if err == nil {
		err = json.Unmarshal([]byte(out), &list)
	}
	return list, err
}

// whole says why there is no whole ring of so many, as somebody elsewhere sees it.
func (r *rig) whole(from, token string, members int) error {
	list, err := rings(r.run(from, []string{"CASSINI_TOKEN=" + token}, "rings", "-o", "json", "--api", r.url()))
	if err != nil {
		return err
	}
	for _, ring := range list {
		if ring.State == model.RingWhole && len(ring.Members) == members {
			return nil
		}
	}
	return fmt.Errorf("rings are %+v", list)
}

// ask asks the manager from a host, with a token, or with the certificate of a host.
func (r *rig) ask(from, method, path, body, token, certificateOf string) (int, string) {
	r.t.Helper()
	secure := &tls.Config{InsecureSkipVerify: true} // this is about whom the manager trusts
	if certificateOf != "" {
		id, err := agentenroll.Load(r.data(certificateOf))
		if err != nil {
			r.t.Fatal(err)
		}
		secure.Certificates = []tls.Certificate{id.Cert}
	}
	dial := func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
		return conn, r.estate.Do(from, func() (err error) {
			conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
			return err
		})
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial, TLSClientConfig: secure}}
	req, err := http.NewRequest(method, r.url()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw)
}
