package capture

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

func startUnixBytes(t *testing.T) *unixRig {
	t.Helper()
	r := startUnix(t, bpf.UnixLimits{Bytes: true})
	if err := r.kernel.Bytes(); err != nil {
		t.Fatalf("bytes over Unix-domain sockets are not counted: %+v", err)
	}
	return r
}

// largestMessage is at least as large as any of these tests.
const largestMessage = 1 << 16

// moved is a dependency over which its client has sent and received so much. Messages that the kernel says
// it ran no program for may be missing: where it preempts its own tasks it does not enter one twice.
func (r *unixRig) moved(sent, received uint64) func(model.Dependency) bool {
	return func(d model.Dependency) bool {
		skipped, err := r.kernel.BytesSkipped()
		if err != nil {
			r.t.Error(err)
		}
		if skipped > 0 {
			r.t.Logf("%d and %d bytes of %d and %d: the kernel left out %d messages", d.BytesSent, d.BytesReceived, sent, received, skipped)
		}
		missing := sent - d.BytesSent + received - d.BytesReceived
		return d.BytesSent <= sent && d.BytesReceived <= received && missing <= skipped*largestMessage
	}
}

// answerTwice answers each message with itself, twice, until the client hangs up.
func answerTwice(t *testing.T, l net.Listener) {
	t.Helper()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				buf := make([]byte, 1<<16)
				for {
					n, err := conn.Read(buf)
					if err != nil {
						return
					}
					for range 2 {
						_, _ = conn.Write(buf[:n]) // the client may have gone
					}
				}
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); serving.Wait() })
}

// Bytes are exact while a connection is open and when it has closed, of many at once, and of
// those that a process was given.
func TestUnixBytes(t *testing.T) {
	for network, kind := range map[string]string{"unix": model.UnixStream, "unixpacket": model.UnixSeqpacket} {
		t.Run(kind, func(t *testing.T) {
			r := startUnixBytes(t)
			path := filepath.Join(shortDir(t), "s")
			l, err := net.Listen(network, path)
			if err != nil {
				t.Fatal(err)
			}
			answerTwice(t, l)
			first := dialUnix(t, network, path)
			exchangeTwice(t, first, 100)
			r.depends(path, r.moved(100, 200))
			const clients, messages, size = 8, 50, 3000
			var all sync.WaitGroup
			for range clients {
				conn := dialUnix(t, network, path)
				all.Go(func() {
					defer conn.Close()
					for range messages {
						exchangeTwice(t, conn, size)
					}
				})
			}
			all.Wait()
			sum := uint64(clients*messages*size + 100)
			r.depends(path, r.moved(sum, 2*sum))
		})
	}
}

// exchangeTwice sends a message and reads the two that answer it.
func exchangeTwice(t *testing.T, conn net.Conn, size int) {
	t.Helper()
	if _, err := conn.Write(make([]byte, size)); err != nil {
		t.Error(err)
		return
	}
	for range 2 {
		if _, err := io.ReadFull(conn, make([]byte, size)); err != nil {
			t.Error(err)
			return
		}
	}
}

// What a client looks at without taking it counts when it takes it; what it sends from a
// file, and what another process sends on its socket, count as if it had written them.
func TestUnixBytesByOtherWays(t *testing.T) {
	r := startUnixBytes(t)
	path := filepath.Join(shortDir(t), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	answerTwice(t, l)
	conn := dialUnix(t, "unix", path).(*net.UnixConn)
	file, err := conn.File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd := int(file.Fd())
	if _, err := conn.Write(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if n, _, err := unix.Recvfrom(fd, make([]byte, 1), unix.MSG_PEEK); n != 1 || err != nil {
			t.Fatalf("looked at %d bytes: %v", n, err)
		}
	}
	if _, err := io.ReadFull(conn, make([]byte, 20)); err != nil {
		t.Fatal(err)
	}
	r.depends(path, r.moved(10, 20))
	sendfile(t, conn, 5000)
	r.depends(path, r.moved(5010, 10020))
	child := unixCommand(t, "write", "hello")
	child.ExtraFiles = []*os.File{file}
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := io.ReadFull(conn, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	r.depends(path, r.moved(5015, 10030))
}

// sendfile has the kernel send a file, and reads what answers it.
func sendfile(t *testing.T, conn *net.UnixConn, size int) {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.CopyN(f, rand.Reader, int64(size)); err != nil {
		t.Fatal(err)
	}
	raw, err := conn.File()
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for offset := int64(0); offset < int64(size); {
		if _, err := unix.Sendfile(int(raw.Fd()), int(f.Fd()), &offset, size-int(offset)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.ReadFull(conn, make([]byte, 2*size)); err != nil {
		t.Fatal(err)
	}
}

// Datagrams of one socket belong to the name that each was sent to; those of a connected one,
// and their answers, to what it is connected with.
func TestUnixBytesOfDatagrams(t *testing.T) {
	r := startUnixBytes(t)
	dir := shortDir(t)
	var paths []string
	for i := range 6 { // more than a socket's latest
		path := filepath.Join(dir, fmt.Sprint(i))
		server, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		paths = append(paths, path)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	send := func(to, size int) {
		t.Helper()
		if err := unix.Sendto(fd, make([]byte, size), 0, &unix.SockaddrUnix{Name: paths[to]}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range paths {
		send(i, i+1)
	}
	for i := range paths {
		send(i, 100)
		send(i, 100)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: paths[0]}); err != nil {
		t.Fatal(err)
	}
	send(1, 1000) // a connected one may write to others
	if _, err := unix.Write(fd, make([]byte, 7)); err != nil {
		t.Fatal(err)
	}
	for i, path := range paths {
		want := uint64(201 + i + []int{7, 1000, 0, 0, 0, 0}[i])
		r.depends(path, r.moved(want, 0))
	}
}

// Nobody asked: nothing is attached.
func TestUnixBytesUnasked(t *testing.T) {
	r := startUnix(t, bpf.UnixLimits{})
	path := filepath.Join(shortDir(t), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	answerTwice(t, l)
	exchangeTwice(t, dialUnix(t, "unix", path), 10)
	r.depends(path, func(d model.Dependency) bool { return counts(1, 0, 1)(d) && r.moved(0, 0)(d) })
	if err := r.kernel.Bytes(); err == nil {
		t.Error("bytes are counted though nobody asked")
	}
}
