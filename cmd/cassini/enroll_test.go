package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cassini/agent/enroll"
	"cassini/cmd/cassini/internal/client"
	"cassini/manager"
	authority "cassini/manager/enroll"
)

// secured runs a manager with TLS, and returns its URL and data directory.
func secured(t *testing.T, secure manager.TLS) (url, dir string) {
	t.Helper()
	_, url, dir = managerOf(t, secure)
	return url, dir
}

// managerOf is secured, with the manager.
func managerOf(t *testing.T, secure manager.TLS) (m *manager.Manager, url, dir string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	m = manager.New(manager.Config{DataDir: dir, Host: "manager", TLS: secure})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for !m.Replayed() {
		time.Sleep(time.Millisecond)
	}
	return m, "https://" + l.Addr().String(), dir
}

func TestTokensAndAgents(t *testing.T) {
	url, dir := secured(t, manager.TLS{On: true})
	here := map[string]string{"CASSINI_DATA_DIR": dir, "CASSINI_API": url}
	viewer := cassini(t, here, "token", "create", "--role", "viewer", "--label", "grafana", "--life", "1h")
	if viewer.code != 0 || !strings.HasPrefix(viewer.stdout, "cassini_viewer_") || !strings.Contains(viewer.stderr, "CASSINI_TOKEN=TOKEN") {
		t.Fatalf("%+v", viewer)
	}
	token := strings.TrimSpace(viewer.stdout)
	id := strings.Split(token, "_")[2]
	elsewhere := map[string]string{"CASSINI_TOKEN": token, "CASSINI_API": url, "CASSINI_DATA_DIR": "/nonexistent"}
	for line, want := range map[string]string{
		"services": "", "token list": "this is for role admin, your token is for viewer", "token create": "this is for role admin",
		"agents revoke web-17": "this is for role admin", "status": "",
	} {
		got := cassini(t, elsewhere, strings.Fields(line)...)
		if (got.code == 0) != (want == "") || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: %+v", line, got)
		}
	}
	if got := cassini(t, here, "token", "list"); !strings.Contains(got.stdout, "grafana") || !strings.Contains(got.stdout, "this machine") {
		t.Errorf("%+v", got)
	}
	if got := cassini(t, here, "token", "revoke", id); got.code != 0 || !strings.Contains(got.stdout, "is revoked") {
		t.Errorf("%+v", got)
	}
	if got := cassini(t, elsewhere, "services"); got.code != 1 || !strings.Contains(got.stderr, "revoked at") {
		t.Errorf("%+v", got)
	}
	if got := cassini(t, here, "agents"); got.code != 0 || !strings.Contains(got.stderr, "no host has joined") {
		t.Errorf("%+v", got)
	}
	if got := cassini(t, map[string]string{"CASSINI_API": url, "CASSINI_DATA_DIR": "/nonexistent", "CASSINI_CA": filepath.Join(dir, authority.CertFile)}, "services"); got.code != 1 || !strings.Contains(got.stderr, "who asks is not known") {
		t.Errorf("with the authority and without a token: %+v", got)
	}
}

// TestJoinCommand joins and looks at what the manager then lists.
func TestJoinCommand(t *testing.T) {
	url, dir := secured(t, manager.TLS{On: true})
	here := map[string]string{"CASSINI_DATA_DIR": dir, "CASSINI_API": url}
	var made authority.TokenMade
	got := cassini(t, here, "token", "create", "--role", "agent", "-o", "json")
	if err := json.Unmarshal([]byte(got.stdout), &made); err != nil {
		t.Fatalf("%v: %+v", err, got)
	}
	agentDir := t.TempDir()
	got = cassini(t, map[string]string{"CASSINI_TOKEN": made.Text}, "join", "--manager", url, "--data-dir", agentDir)
	if got.code != 0 || !strings.Contains(got.stdout, "joined; its certificate is good until") {
		t.Fatalf("%+v", got)
	}
	host, _ := os.Hostname()
	if list := cassini(t, here, "agents").stdout; !strings.Contains(list, host) {
		t.Errorf("agents: %s", list)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // of the agent
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sink, work, err := reachManager(serveConfig{DataDir: agentDir, Host: host, Manager: url, Logger: newLogger(os.Stderr, slog.LevelError, "text"), Listener: l})
	if err != nil {
		t.Fatal(err)
	}
	err = work(func(ctx context.Context) error {
		_, err := sink.Latest(ctx, host)
		return err
	})(t.Context())
	if err != nil {
		t.Error(err)
	}
	if got := cassini(t, here, "agents", "revoke", host); got.code != 0 {
		t.Errorf("%+v", got)
	}
	if _, err := sink.Latest(t.Context(), host); err == nil || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("got %v", err)
	}
}

func TestEnrolmentUsage(t *testing.T) {
	for line, want := range map[string]string{
		"join": "want a URL such as https://", "join --manager http://127.0.0.1:1984": "want a URL such as https://",
		"join --manager https://127.0.0.1:1984": "--token/CASSINI_TOKEN is missing",
		"token":                                 "want one of the commands below token", "token mak": `unknown command "mak"`, "token revoke": "want the ID of a token",
		"agents revoke": "want the name of a host", "token create --role king": "want one of agent, viewer, operator, admin",
		"services --api http://127.0.0.1:1 --token x":                        "a token is sent over https alone",
		"services --api https://127.0.0.1:1 --token x":                       "was it copied whole?",
		"services --api https://127.0.0.1:1 --token-file /nonexistent":       "no such file",
		"services --api https://127.0.0.1:1 --ca /dev/null":                  "no certificate in it",
		"manager --insecure --tls-name cassini.example --listen 127.0.0.1:0": "one is without TLS",
		"run --tls-cert /etc/cert.pem --listen 127.0.0.1:0":                  "go together",
		"manager --agent-certificate-life=-1s --listen 127.0.0.1:0":          "want a duration above 0",
		"agent --tls-name x": "unknown flag",
		"agent --manager https://127.0.0.1:1 --tls-cert x --listen 127.0.0.1:0":                       "go together",
		"agent --manager http://127.0.0.1:1 --tls-cert x --tls-key x --tls-ca x --listen 127.0.0.1:0": "is for a manager at https://",
		"manager --tls-client-id spiffe://example.org/{host} --insecure --listen 127.0.0.1:0":         "one is without TLS",
		"token create --life 1ms --api https://127.0.0.1:1 --token-file /dev/null":                    "want a second or more",
	} {
		if got := cassini(t, nil, strings.Fields(line)...); got.code != 2 || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: exit code %d, stderr %q", line, got.code, got.stderr)
		}
	}
}

// TestCredentials finds the address and the token.
func TestCredentials(t *testing.T) {
	pin := strings.Repeat("ab", 32)
	dir := t.TempDir()
	here := "cassini_admin_id_secret_" + pin
	if err := os.WriteFile(filepath.Join(dir, authority.TokenFile), []byte(here+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		creds          credentials
		dir, api       string
		address, token string
	}{
		"nothing there":      {credentials{}, "/nonexistent", client.DefaultURL, client.DefaultURL, ""},
		"this machine":       {credentials{}, dir, client.DefaultURL, localURL, here},
		"plain, in words":    {credentials{}, dir, "http://127.0.0.1:7", "http://127.0.0.1:7", ""},
		"another with https": {credentials{}, dir, "https://10.0.0.1:7", "https://10.0.0.1:7", here},
		"a token":            {credentials{token: here}, "/nonexistent", "10.0.0.1:7", "https://10.0.0.1:7", here},
		"a file":             {credentials{file: filepath.Join(dir, authority.TokenFile)}, "/nonexistent", client.DefaultURL, localURL, here},
	} {
		sys, _, _ := sandbox(map[string]string{"CASSINI_DATA_DIR": tc.dir}, nil)
		var cfg client.Config
		address, err := tc.creds.settle(sys, tc.api, &cfg)
		if err != nil || address != tc.address || cfg.Token != tc.token || (cfg.TLS != nil) != (tc.token != "") {
			t.Errorf("%s: got %q, %q, %v", name, address, cfg.Token, err)
		}
	}
}

func TestAgentMustJoinFirst(t *testing.T) {
	_, _, err := reachManager(serveConfig{DataDir: t.TempDir(), Host: "web-17", Manager: "https://127.0.0.1:1984"})
	if err == nil || !strings.Contains(err.Error(), enroll.ErrNotJoined.Error()) || !strings.Contains(err.Error(), "cassini join") {
		t.Errorf("got %v", err)
	}
}
