package capture

import (
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"cassini/bpf"

	"golang.org/x/sys/unix"
)

// BenchmarkUnixConnection connects to a Unix-domain socket that is known, is accepted and
// closed, with and without the agent by turns, and reports the median ratio of the two, and
// the time spent in eBPF for one, as the kernel counts it.
func BenchmarkUnixConnection(b *testing.B) {
	l := listenOn(b, "unix", filepath.Join(b.TempDir(), "s"))
	benchmarkAttached(b, func() attached { return attachUnix(b, l, bpf.UnixLimits{}) },
		func(n int) time.Duration { return connectUnix(b, l, n) }, "unix_connect", "unix_stream_connected")
}

// BenchmarkUnixDatagram sends datagrams by address to a socket that is known.
func BenchmarkUnixDatagram(b *testing.B) {
	path := filepath.Join(b.TempDir(), "d")
	server, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(fd)
	benchmarkAttached(b, func() attached { return attachUnix(b, nil, bpf.UnixLimits{}) },
		func(n int) time.Duration { return sendUnix(b, fd, server, path, n) }, "unix_sendmsg", "unix_dgram_sent")
}

// BenchmarkUnixBytes sends messages of 64 bytes to and fro where bytes are counted, each time over
// a new connection.
func BenchmarkUnixBytes(b *testing.B) {
	l := listenOn(b, "unix", filepath.Join(b.TempDir(), "s"))
	benchmarkAttached(b, attachUnixBytes(b, l), func(n int) time.Duration { return talkOver(b, l, n) }, byteCounting...)
}

// BenchmarkUnixBytesOfOthers is what counting them costs messages of TCP.
func BenchmarkUnixBytesOfOthers(b *testing.B) {
	l := listenOn(b, "tcp4", "127.0.0.1:0")
	benchmarkAttached(b, attachUnixBytes(b, nil), func(n int) time.Duration { return talkOver(b, l, n) }, byteCounting...)
}

// byteCounting are the programs that count bytes, with trampolines and without.
var byteCounting = []string{"unix_stream_sent", "unix_stream_received", "unix_bytes_sent", "unix_bytes_received"}

func attachUnixBytes(b *testing.B, l net.Listener) func() attached {
	return func() attached {
		b.Helper()
		kernel := attachUnix(b, l, bpf.UnixLimits{Bytes: true})
		if err := kernel.Bytes(); err != nil {
			b.Fatal(err)
		}
		return kernel
	}
}

// attachUnix attaches, and tells the kernel side who serves what was dialled.
func attachUnix(b *testing.B, l net.Listener, limits bpf.UnixLimits) *bpf.Unix {
	b.Helper()
	kernel, err := bpf.OpenUnix(limits)
	if err != nil {
		b.Fatal(err)
	}
	if l == nil {
		return kernel
	}
	connectUnix(b, l, 1)
	err = kernel.Edges(func(key *bpf.UnixKey, edge *bpf.UnixEdge) {
		if bpf.Dialled(edge) != l.Addr().String() {
			return
		}
		err := kernel.Sockets(b.Context(), func(s *bpf.UnixSocket) {
			if bpf.Bound(s) != l.Addr().String() {
				return
			}
			if err := kernel.Serve(key.Name, s); err != nil {
				b.Fatal(err)
			}
		})
		if err != nil {
			b.Fatal(err)
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	return kernel
}

func connectUnix(b *testing.B, l net.Listener, n int) time.Duration {
	b.Helper()
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for range n {
			conn, err := l.Accept()
			if err != nil {
				b.Error(err)
				return
			}
			_ = conn.Close()
		}
	})
	begin := time.Now()
	address := &unix.SockaddrUnix{Name: l.Addr().String()}
	for range n {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			err = unix.Connect(fd, address)
		}
		if err != nil {
			b.Fatal(err)
		}
		_ = unix.Close(fd)
	}
	accepting.Wait()
	return time.Since(begin)
}

func sendUnix(b *testing.B, fd int, server *net.UnixConn, path string, n int) time.Duration {
	b.Helper()
	buf := make([]byte, 16)
	address := &unix.SockaddrUnix{Name: path}
	begin := time.Now()
	for range n {
		if err := unix.Sendto(fd, buf, 0, address); err != nil {
			b.Fatal(err)
		}
		if _, err := server.Read(buf); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(begin)
}
