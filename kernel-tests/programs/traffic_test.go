package programs

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"cassini/kernel-tests/undertest"
	"cassini/model"
)

// A connection that stays open shows what it moves while it does, over lives of the
// agent too: to the byte, with what it moved while no agent ran, and nothing twice.
func TestOpenConnectionOverRestarts(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	port, self, sent, dir := l.Addr().(*net.TCPAddr).Port, filepath.Base(os.Args[0]), uint64(0), t.TempDir()
	send := func(bytes int) {
		t.Helper()
		if _, err := client.Write(make([]byte, bytes)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(server, make([]byte, bytes)); err != nil {
			t.Fatal(err)
		}
		sent += uint64(bytes)
	}
	shows := func(c *cassini, open uint64) {
		t.Helper()
		c.dependency(self, port, func(d model.DependencyView) bool {
			if d.BytesSent > sent {
				t.Fatalf("more than was sent, which is %d: %+v", sent, d.Counters)
			}
			return d.BytesSent == sent && d.BytesReceived == 0 && d.Open == open && d.Connections == 1
		})
	}
	send(100_000) // before any agent
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL} {
		c := startCassini(t, dir)
		shows(c, 1)
		send(1000)
		shows(c, 1)
		send(20) // nobody asks
		c.stop(signal)
		send(3) // nobody is there
	}
	c := startCassini(t, dir)
	shows(c, 1)
	_, _ = client.Close(), server.Close()
	shows(c, 0)
}

// A scrape brings what it shows up to date, though nobody asks anything else.
func TestScrapeIsAQuestion(t *testing.T) {
	port := undertest.Port(t)
	startNginx(t, port)
	c := startCassini(t, t.TempDir())
	fetch := func() {
		run(t, "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:"+strconv.Itoa(port)+"/")
	}
	for n := range 3 {
		fetch()
		want := fmt.Sprintf(`:%d"} %d`, port, n+1)
		eventually(t, "a scrape that shows "+want, func() bool {
			r, err := http.Get(c.api + "/metrics")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			text, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(text)) {
				if strings.HasPrefix(line, "cassini_dependency_connections_total{") && strings.Contains(line, "/curl\"") && strings.HasSuffix(strings.TrimSpace(line), want) {
					return true
				}
			}
			return false
		})
	}
}

// Stopped in order, the agent tells what nobody had asked for.
func TestStoppedInOrder(t *testing.T) {
	port, dir := undertest.Port(t), t.TempDir()
	startNginx(t, port)
	c := startCassini(t, dir)
	fetch := func(n int) {
		for range n {
			run(t, "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:"+strconv.Itoa(port)+"/")
		}
	}
	fetch(4)
	seen := c.dependency("curl", port, func(d model.DependencyView) bool { return d.Connections == 4 && d.Open == 0 })
	fetch(3)
	c.stop(syscall.SIGTERM)
	c = startCassini(t, dir)
	c.dependency("curl", port, func(d model.DependencyView) bool {
		return d.Connections == 7 && d.BytesReceived == seen.BytesReceived/4*7
	})
}
