package capture

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"cassini/bpf"
	"cassini/model"
)

// send moves bytes from one end to the other, and reads them there.
func send(t *testing.T, from, to net.Conn, bytes int) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := from.Write(make([]byte, bytes))
		sent <- err
	}()
	_, err := io.CopyN(io.Discard, to, int64(bytes))
	if err := errors.Join(err, <-sent); err != nil {
		t.Fatal(err)
	}
}

// moved waits until both ends tell just these bytes, from client to server and back.
func (r *rig) moved(what string, port uint16, there, back, open uint64) (out model.Dependency) {
	r.t.Helper()
	for _, direction := range []model.Direction{model.In, model.Out} {
		sent, received := there, back
		if direction == model.In {
			sent, received = back, there
		}
		out = r.dependency(what+", "+string(direction), func(d model.Dependency) bool {
			if d.Port != port || d.Direction != direction {
				return false
			}
			if d.BytesSent > sent || d.BytesReceived > received {
				r.t.Fatalf("%s, %s: more than was moved: %+v", what, direction, d.Counters)
			}
			return d.BytesSent == sent && d.BytesReceived == received && d.Open == open
		})
		if live := out.OpenTraffic; open > 0 && (live.BytesSent != sent || live.BytesReceived != received) || open == 0 && live != (model.Traffic{}) {
			r.t.Errorf("%s, %s: of open connections %+v", what, direction, live)
		}
	}
	return out
}

// A connection tells what it moves while it lives, to the byte, and once it is closed
// the same.
func TestOpenConnectionsTell(t *testing.T) {
	r := start(t, bpf.Limits{})
	for _, c := range []struct {
		name, network, address, dial string
		mptcp                        bool
	}{
		{"IPv4", "tcp4", "127.0.0.1:0", "127.0.0.1", false},
		{"IPv6", "tcp6", "[::1]:0", "::1", false},
		{"v4-mapped", "tcp", "[::]:0", "127.0.0.1", false},
		{"MPTCP listener", "tcp", "127.0.0.1:0", "127.0.0.1", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := listen(t, c.network, c.address, c.mptcp)
			address := netip.AddrPortFrom(netip.MustParseAddr(c.dial), portOf(l)).String()
			client, server := accepted(t, l, func() (net.Conn, error) { return net.Dial("tcp", address) })
			r.moved("nothing yet", portOf(l), 0, 0, 1)
			send(t, client, server, 100_000)
			send(t, server, client, 3)
			first := r.moved("open", portOf(l), 100_000, 3, 1)
			if first.RTTMicros == 0 {
				t.Errorf("no round-trip time of an open connection: %+v", first.Counters)
			}
			send(t, server, client, 50_000)
			if later := r.moved("open still", portOf(l), 100_000, 50_003, 1); !later.LastSeen.After(first.LastSeen) {
				t.Errorf("last seen %v, then %v", first.LastSeen, later.LastSeen)
			}
			_ = client.(*net.TCPConn).CloseWrite() // a FIN is no byte
			_, _ = server.Read(make([]byte, 1))
			r.moved("half closed", portOf(l), 100_000, 50_003, 1)
			send(t, server, client, 7)
			_, _ = server.Close(), client.Close()
			r.moved("closed", portOf(l), 100_000, 50_010, 0)
		})
	}
}

// Of connections that are older than the agent all is told that they ever moved, and
// apart, what was before.
func TestAdoptedConnectionsTell(t *testing.T) {
	l := listen(t, "tcp4", "127.0.0.1:0", false)
	client, server := accepted(t, l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) })
	send(t, client, server, 1000)
	send(t, server, client, 2000)
	r := start(t, bpf.Limits{})
	r.moved("as found", portOf(l), 1000, 2000, 1)
	send(t, client, server, 1)
	check := func(d model.Dependency) {
		t.Helper()
		if want := (model.Traffic{BytesSent: 1000, BytesReceived: 2000}); d.AdoptedTraffic != want || d.Adopted != 1 {
			t.Errorf("adopted %+v, want %+v", d.AdoptedTraffic, want)
		}
	}
	check(r.moved("more", portOf(l), 1001, 2000, 1))
	_, _ = client.Close(), server.Close()
	check(r.moved("closed", portOf(l), 1001, 2000, 0))
}

// Connections whose place is in the overflow of the table are read there. How many find their bucket
// full is chance, so they are opened until some have.
func TestOverflowTells(t *testing.T) {
	places := uint32(4096)
	if inVM() {
		places = 256
	}
	r := start(t, bpf.Limits{Connections: places})
	l := listen(t, "tcp4", "127.0.0.1:0", false)
	var ends []net.Conn
	for overflow := uint64(0); overflow < uint64(places/32); {
		if len(ends) > int(places)*5/4 {
			t.Fatalf("the overflow holds %d of %d ends: it was hardly used, so this proves nothing", overflow, len(ends))
		}
		ends = append(ends, hold(t, l, 5)...)
		var err error
		if overflow, err = r.kernel.Overflow(); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < len(ends); i += 2 {
		send(t, ends[i], ends[i+1], 10)
	}
	n := uint64(len(ends) / 2)
	r.moved("all of them", portOf(l), 10*n, 0, n)
}

// While connections come and go at full speed, what is shown neither falls nor is more
// than was moved; at rest it is exact.
func TestTrafficWhileConnectionsClose(t *testing.T) {
	r := start(t, bpf.Limits{})
	l := listen(t, "tcp4", "127.0.0.1:0", false)
	const workers, bytes = 4, 1000
	each := 500
	if inVM() {
		each = 50
	}
	var upper atomic.Int64 // what was handed to the kernel
	var clients, servers sync.WaitGroup
	for range workers {
		servers.Go(func() {
			for range each {
				conn, err := l.Accept()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}
		})
		clients.Go(func() {
			for range each {
				conn, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				upper.Add(bytes)
				_, _ = conn.Write(make([]byte, bytes))
				_ = conn.(*net.TCPConn).CloseWrite()
				_, _ = conn.Read(make([]byte, 1)) // the server has it all
				_ = conn.Close()
			}
		})
	}
	done := make(chan struct{})
	go func() { clients.Wait(); servers.Wait(); close(done) }()
	shown := map[model.Direction]uint64{}
	look := func() {
		r.refresh()
		limit := uint64(upper.Load())
		for _, d := range bodies(r, model.PackageDependencies, func(d model.Dependency) bool { return d.Port == portOf(l) }) {
			now := d.BytesSent + d.BytesReceived // one of them is zero
			if now < shown[d.Direction] || now > limit {
				t.Errorf("%s: %d bytes after %d, and at most %d were moved", d.Direction, now, shown[d.Direction], limit)
			}
			shown[d.Direction] = now
		}
	}
	for running := true; running; {
		look()
		select {
		case <-done:
			running = false
		default:
		}
	}
	r.moved("all closed", portOf(l), uint64(workers*each*bytes), 0, 0)
}
