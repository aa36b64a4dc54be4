package capture

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"cassini/bpf"
	"cassini/model"
)

// A Go server and client that speak MPTCP, as Go's servers do by default, are one service and
// one dependency, of their process: what carries the bytes is a TCP socket of the
// kernel, with no file behind it.
func TestMPTCP(t *testing.T) {
	const connections, sent = 5, 1000
	enabled, err := os.ReadFile("/proc/sys/net/mptcp/enabled")
	if err != nil || strings.TrimSpace(string(enabled)) != "1" {
		t.Fatalf("MPTCP is not enabled: %s, %v; enable it with: sysctl net.mptcp.enabled=1", enabled, err)
	}
	r := start(t, bpf.Limits{})
	l := listen(t, "tcp4", "127.0.0.1:0", true)
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	dialer := &net.Dialer{}
	dialer.SetMultipathTCP(true)
	for range connections {
		client, err := dialer.DialContext(t.Context(), "tcp4", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		server, err := l.AcceptTCP()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		if _, err := client.Write(make([]byte, sent)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(server, make([]byte, sent)); err != nil {
			t.Fatal(err)
		}
		for end, conn := range map[string]*net.TCPConn{"client": client.(*net.TCPConn), "server": server} {
			if multipath, err := conn.MultipathTCP(); err != nil || !multipath {
				t.Fatalf("the %s does not speak MPTCP: %v", end, err)
			}
		}
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	service := r.listener("MPTCP's listener", func(l model.Listener) bool { return l.Port == port })
	if service.Proto != "tcp" || service.Sockets != 1 || service.Exe != exe || service.PID != os.Getpid() || service.Workers != nil {
		t.Errorf("service %+v", service)
	}
	for _, direction := range []model.Direction{model.Out, model.In} {
		// Just one document is there, or the wait fails.
		d := r.dependency(string(direction), func(d model.Dependency) bool { return d.Port == port && d.Direction == direction })
		if d.Connections != connections || d.Open != connections || d.Failed != 0 || d.Exe != exe || d.PID != os.Getpid() {
			t.Errorf("%s: %+v", direction, d)
		}
	}
	if r.accepts == nil {
		return
	}
	workers, err := r.accepts.Workers()
	if err != nil {
		t.Fatal(err)
	}
	var accepted uint64
	for _, w := range workers {
		if w.PID == os.Getpid() {
			accepted += w.Accepted
		}
	}
	if accepted != connections {
		t.Errorf("this process accepted %d, want %d: %+v", accepted, connections, workers)
	}
}
