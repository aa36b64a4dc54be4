package estate

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cassini/agent/netns"
	"cassini/kernel-tests/undertest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	undertest.NeedRoot("ESTATE", "test-privileged")
	goleak.VerifyTestMain(m)
}

// patience ends a wait for what never comes; it is no measure of speed.
const patience = 20 * time.Second

// prefix is of this run alone.
func prefix(suffix string) string { return fmt.Sprintf("ct%d-%s", os.Getpid(), suffix) }

// newEstate is one in which every host echoes datagrams.
func newEstate(t *testing.T, switches, hosts int) *Estate {
	t.Helper()
	e, err := New(Config{Prefix: prefix("e"), Switches: switches, HostsPerSwitch: hosts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if left := named(t, prefix("e")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	for _, h := range append(e.Hosts(), e.Manager()) {
		echo(t, e, h)
	}
	return e
}

// named are the namespaces whose names begin so.
func named(t *testing.T, prefix string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(netns.RunDir(), prefix+"-*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

const echoPort = 7

func echo(t *testing.T, e *Estate, h Host) {
	t.Helper()
	var conn *net.UDPConn
	if err := e.Do(h.Name, func() (err error) {
		conn, err = net.ListenUDP("udp4", &net.UDPAddr{Port: echoPort})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-done })
	go func() {
		defer close(done)
		b := make([]byte, 2000)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				_, _ = conn.WriteToUDPAddrPort(b[:n], from)
			}
		}
	}()
}

// reaches says whether an echo comes back within a time; it asks again and again.
func reaches(t *testing.T, e *Estate, from, to Host, within time.Duration) bool {
	t.Helper()
	var conn *net.UDPConn
	err := e.Do(from.Name, func() (err error) {
		conn, err = net.ListenUDP("udp4", &net.UDPAddr{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	question, answer := []byte(time.Now().String()), make([]byte, 2000)
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		_, err := conn.WriteToUDP(question, &net.UDPAddr{IP: to.Addr.AsSlice(), Port: echoPort})
		if err != nil { // no route while the link is down
			time.Sleep(20 * time.Millisecond)
			continue
		}
		_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if n, err := conn.Read(answer); err == nil && bytes.Equal(answer[:n], question) {
			return true
		}
	}
	return false
}

// expectCut and expectWay take pairs of hosts by their names.
func expectCut(t *testing.T, e *Estate, pairs ...string) {
	t.Helper()
	for _, pair := range pairs {
		from, to := hostsOf(t, e, pair)
		if reaches(t, e, from, to, 300*time.Millisecond) {
			t.Errorf("%s: there is a way", pair)
		}
	}
}

func expectWay(t *testing.T, e *Estate, pairs ...string) {
	t.Helper()
	for _, pair := range pairs {
		from, to := hostsOf(t, e, pair)
		if !reaches(t, e, from, to, patience) {
			t.Fatalf("%s: there is no way", pair)
		}
	}
}

func hostsOf(t *testing.T, e *Estate, pair string) (from, to Host) {
	t.Helper()
	a, b, _ := strings.Cut(pair, " ")
	if e.byName[a] == nil || e.byName[b] == nil {
		t.Fatalf("%q are no two hosts", pair)
	}
	return e.byName[a].Host, e.byName[b].Host
}
