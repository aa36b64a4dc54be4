package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/agent/outbox"
	"cassini/agent/srv/srvtest"
	"cassini/manager"
	authority "cassini/manager/enroll"
	"cassini/model"
)

const service = "_cassini._tcp.example.org"

// managerAt runs a manager that is reached by a name.
func managerAt(t *testing.T, dir, name string) (m *manager.Manager, port uint16, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m = manager.New(manager.Config{DataDir: dir, Host: "manager", TLS: manager.TLS{On: true, Names: []string{name}}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx, l) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	for !m.Replayed() {
		time.Sleep(time.Millisecond)
	}
	return m, uint16(l.Addr().(*net.TCPAddr).Port), stop
}

// byDNS runs a command line on a machine that asks a name server of the test.
func byDNS(t *testing.T, dns *srvtest.Server, env map[string]string, args ...string) result {
	t.Helper()
	sys, stdout, stderr := sandbox(env, nil)
	sys.resolver = dns.Resolver()
	code := execute(t.Context(), args, sys)
	return result{code, stdout.String(), stderr.String()}
}

// delivers is the outbox of an agent at work.
func delivers(t *testing.T, dir, host string, dns *srvtest.Server) *outbox.Outbox {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // of the agent
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	log := newLogger(os.Stderr, slog.LevelError, "text")
	finder := newFinder("srv:example.org", dns.Resolver(), log)
	sink, work, err := reachManager(serveConfig{DataDir: dir, Host: host, Manager: "srv:example.org", Finder: finder, Logger: log, Listener: l})
	if err != nil {
		t.Fatal(err)
	}
	box, err := outbox.New(outbox.Config{Sink: sink, Path: filepath.Join(dir, "outbox.db"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- work(box.Run)(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return box
}

// has waits until a manager knows so many documents of a host.
func has(t *testing.T, m *manager.Manager, host string, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for got := -1; got < want; time.Sleep(5 * time.Millisecond) {
		docs, err := m.Latest(ctx, host)
		if err != nil {
			t.Fatalf("%d documents, want %d: %v", got, want, err)
		}
		got = len(docs)
	}
}

func document(t *testing.T, host, key string) model.Document {
	t.Helper()
	doc, err := model.NewDocument(model.Name{Host: host, Package: "test", Key: key}, time.Now(), map[string]string{"a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestManagerByDNS joins and delivers by DNS. Then the manager is lost, and its backup
// takes over at another name and port: nothing that was put meanwhile is lost.
func TestManagerByDNS(t *testing.T) {
	dns := srvtest.New(t)
	dir := t.TempDir()
	first, port, stop := managerAt(t, dir, "m1.example.org")
	dns.Set(service, net.SRV{Target: "m1.example.org.", Port: port, Priority: 10})
	var made authority.TokenMade
	got := cassini(t, map[string]string{"CASSINI_DATA_DIR": dir, "CASSINI_API": "https://" + "127.0.0.1:" + portText(port)}, "token", "create", "--role", "agent", "-o", "json")
	if err := json.Unmarshal([]byte(got.stdout), &made); err != nil {
		t.Fatalf("%v: %+v", err, got)
	}
	agentDir := t.TempDir()
	got = byDNS(t, dns, map[string]string{"CASSINI_TOKEN": made.Text, "CASSINI_MANAGER": "srv:example.org"}, "join", "--data-dir", agentDir)
	if got.code != 0 || !strings.Contains(got.stdout, "cassini agent --manager srv:example.org") {
		t.Fatalf("%+v", got)
	}
	host, _ := os.Hostname()
	box := delivers(t, agentDir, host, dns)
	box.Put(document(t, host, "1"))
	has(t, first, host, 1)

	stop()
	box.Put(document(t, host, "2"))
	standby := t.TempDir()
	if err := os.CopyFS(standby, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	second, port2, _ := managerAt(t, standby, "m2.example.org")
	dns.Set(service, net.SRV{Target: "m1.example.org.", Port: port, Priority: 10}, net.SRV{Target: "m2.example.org.", Port: port2, Priority: 20})
	has(t, second, host, 2)
}

// TestJoinByDNSFails says what was asked and what came.
func TestJoinByDNSFails(t *testing.T) {
	dns := srvtest.New(t)
	dir := t.TempDir()
	_, port, _ := managerAt(t, dir, "m1.example.org")
	token := "cassini_agent_id_secret_" + strings.Repeat("ab", 32) // of another authority
	join := func() result {
		return byDNS(t, dns, map[string]string{"CASSINI_TOKEN": token}, "join", "--manager", "srv:example.org", "--data-dir", t.TempDir())
	}
	for _, want := range []string{"there are no SRV records of " + service} {
		if got := join(); got.code != 1 || !strings.Contains(got.stderr, want) {
			t.Errorf("%+v", got)
		}
	}
	dns.Set(service, net.SRV{Target: "."})
	if got := join(); got.code != 1 || !strings.Contains(got.stderr, "there is no manager for this domain") {
		t.Errorf("%+v", got)
	}
	dns.Set(service, net.SRV{Target: "m1.example.org.", Port: port})
	if got := join(); got.code != 1 || !strings.Contains(got.stderr, "m1.example.org:"+portText(port)) || !strings.Contains(got.stderr, "not the manager of the token") {
		t.Errorf("%+v", got)
	}
}

func TestManagerUsage(t *testing.T) {
	for line, want := range map[string]string{
		"agent --manager srv:":                 "want srv: and a domain name, such as srv:example.org",
		"agent --manager srv:example.org:1984": "want srv: and a domain name",
		"agent --manager nonsense":             "or srv:example.org to ask DNS",
		"join --manager srv://example.org":     "want srv: and a domain name",
		"join --manager srv:example.org":       "--token/CASSINI_TOKEN is missing",
	} {
		if got := cassini(t, nil, strings.Fields(line)...); got.code != 2 || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: exit code %d, stderr %q", line, got.code, got.stderr)
		}
	}
	if got := cassini(t, nil, "agent", "--manager", ""); got.code != 2 || !strings.Contains(got.stderr, "no manager is named: say --manager URL or CASSINI_MANAGER=URL") {
		t.Errorf("%+v", got)
	}
	for manager, want := range map[string]bool{"": true, "srv:example.org": false} {
		got := cassini(t, map[string]string{"CASSINI_MANAGER": manager}, "agent", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir())
		if got.code != 0 || strings.Contains(got.stderr, "no manager is named by --manager, CASSINI_MANAGER") != want {
			t.Errorf("%q: %+v", manager, got)
		}
	}
}

func portText(port uint16) string { return strconv.Itoa(int(port)) }
