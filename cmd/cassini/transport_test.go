package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	agentenroll "cassini/agent/enroll"
	"cassini/agent/outbox"
	"cassini/manager"
	"cassini/model"
	"cassini/model/delivery"

	"github.com/klauspost/compress/zstd"
)

// joined is an agent's way to a manager over TLS, which it has joined.
func joined(t *testing.T, host string) (sink *outbox.HTTPSink, m *manager.Manager, url, dir string) {
	t.Helper()
	m, url, managerDir := managerOf(t, manager.TLS{On: true})
	here := map[string]string{"CASSINI_DATA_DIR": managerDir, "CASSINI_API": url}
	token := strings.TrimSpace(cassini(t, here, "token", "create", "--role", "agent").stdout)
	dir = t.TempDir()
	_, err := agentenroll.Join(t.Context(), agentenroll.Request{Manager: url, Token: token, Host: host, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // of the agent
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	sink, _, err = reachManager(serveConfig{DataDir: dir, Host: host, Manager: url, Logger: newLogger(os.Stderr, slog.LevelError, "text"), Listener: l})
	if err != nil {
		t.Fatal(err)
	}
	return sink, m, url, dir
}

// TestTransport delivers over mutual TLS as an agent does.
func TestTransport(t *testing.T) {
	sink, m, url, dir := joined(t, "web-17")
	b := model.Batch{Host: "web-17", First: model.Position{Incarnation: 5, Sequence: 1}}
	for i := range 200 {
		b.Documents = append(b.Documents, document(t, "web-17", fmt.Sprint(i)))
	}
	for i, want := range []model.Receipt{{Last: b.Last()}, {Last: b.Last(), Known: 200}} {
		if got, err := sink.Deliver(t.Context(), b); err != nil || got != want {
			t.Errorf("delivered %d times: %+v, %v", i+1, got, err)
		}
	}
	has(t, m, "web-17", 200)
	if s := m.StoreStats(); s.Appended != 200 {
		t.Errorf("%d documents are in the log", s.Appended)
	}
	if s := m.DeliveryStats(); s.Batches != 2 || s.Documents != 200 || s.Known != 200 || s.WireBytes*5 > s.Bytes {
		t.Errorf("stats are %+v", s)
	}
	if s := sink.Stats(); s.Protocol != delivery.Numbered {
		t.Errorf("stats are %+v", s)
	}
	if docs, err := sink.Latest(t.Context(), "web-17"); err != nil || len(docs) != 200 {
		t.Errorf("%d documents, %v", len(docs), err)
	}

	id, err := agentenroll.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	secure := &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{id.Cert}} // this is about what the manager takes
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: secure, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	stream, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := stream.EncodeAll([]byte(strings.Repeat(" ", 256<<20)), nil)
	for _, tc := range []struct {
		name, version, coding, body string
		status                      int
		text                        string
	}{
		{"a bomb", "2", "zstd", string(bomb), http.StatusRequestEntityTooLarge, "hold more than"},
		{"an oversized body", "2", "", strings.Repeat(" ", 9<<20), http.StatusRequestEntityTooLarge, "too large"},
		{"an agent of the future", "9", "", "{}", http.StatusUpgradeRequired, "upgrade the manager"},
	} {
		req, err := http.NewRequest("POST", url+"/api/v1/deliveries", strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set(delivery.Header, tc.version)
		if tc.coding != "" {
			req.Header.Set("Content-Encoding", tc.coding)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != tc.status || !strings.Contains(string(text), tc.text) || resp.ProtoMajor != 2 {
			t.Errorf("%s: HTTP/%d, %d %s", tc.name, resp.ProtoMajor, resp.StatusCode, text)
		}
	}
}

// TestSlowLoris opens connections over which headers never end: the manager hangs up, and
// serves others meanwhile.
func TestSlowLoris(t *testing.T) {
	t.Parallel()
	m, url, _ := managerOf(t, manager.TLS{On: true})
	var conns []*tls.Conn
	for range 50 {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /-/healthy HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	resp, err := client.Get(url + "/-/healthy")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
	resp.Body.Close()
	for _, conn := range conns {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("the manager waits for headers without end")
		}
	}
	if !m.Replayed() {
		t.Error("the manager is gone")
	}
}
