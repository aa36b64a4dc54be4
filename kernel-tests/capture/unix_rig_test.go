package capture

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"cassini/agent/host"
	"cassini/agent/local"
	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// unixRig is a running capture of Unix-domain sockets and the documents that it emitted.
type unixRig struct {
	*local.Local
	t      *testing.T
	kernel *bpf.Unix

	mu     sync.Mutex
	latest map[model.Name]model.Document
}

func startUnix(t *testing.T, limits bpf.UnixLimits) *unixRig {
	t.Helper()
	kernel, err := bpf.OpenUnix(limits)
	if err != nil {
		t.Fatalf("open: %+v", err)
	}
	r := &unixRig{t: t, kernel: kernel, latest: make(map[model.Name]model.Document)}
	r.Local = local.New(local.Config{Host: testHost, Kernel: kernel, Processes: host.NewProcesses(), Emit: r.emit, Logger: slog.New(slog.DiscardHandler)})
	runs(t, r.Local)
	return r
}

func (r *unixRig) emit(docs ...model.Document) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, doc := range docs {
		if err := doc.Validate(); err != nil {
			r.t.Errorf("emitted: %v", err)
		}
		if r.latest[doc.Name] = doc; doc.Gone() {
			delete(r.latest, doc.Name)
		}
	}
}

// unixBody waits until one document matches, asking each time.
func unixBody[T any](r *unixRig, pkg, what string, match func(T) bool) T {
	r.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if err := r.Refresh(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
		r.mu.Lock()
		var found []T
		for name, doc := range r.latest {
			var body T
			if name.Package == pkg && doc.Decode(&body) == nil && match(body) {
				found = append(found, body)
			}
		}
		r.mu.Unlock()
		if len(found) == 1 {
			return found[0]
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, doc := range r.latest {
		r.t.Logf("%s: %s", name, doc.Body)
	}
	r.t.Fatalf("%s: never came", what)
	panic("not reached")
}

func (r *unixRig) listens(path string, match func(model.Listener) bool) model.Listener {
	r.t.Helper()
	return unixBody(r, model.PackageListeners, "listener on "+path, func(l model.Listener) bool { return l.Path == path && match(l) })
}

func (r *unixRig) depends(path string, match func(model.Dependency) bool) model.Dependency {
	r.t.Helper()
	return unixBody(r, model.PackageDependencies, "client of "+path, func(d model.Dependency) bool { return d.Path == path && match(d) })
}

// sendsTo says whether the kernel side knows a socket that has sent to a name, by its edge.
func (r *unixRig) sendsTo(path string) (sends bool) {
	r.t.Helper()
	err := r.kernel.Clients(r.t.Context(), func(c *bpf.UnixClient) {
		edge, ok, err := r.kernel.Edge(c.Key)
		if err != nil {
			r.t.Error(err)
		}
		sends = sends || ok && c.LastNs > 0 && bpf.Dialled(&edge) == path
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return sends
}

func listening(l model.Listener) bool { return l.State == model.StateListening }

// counts matches what a client did, once it is all there.
func counts(connections, failed, open uint64) func(model.Dependency) bool {
	return func(d model.Dependency) bool {
		return d.Connections+d.Adopted == connections && d.Failed == failed && d.Open == open
	}
}

// shortDir is a directory whose name leaves room for a socket's.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "u")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// serveUnix accepts and keeps what it accepts until the test ends, or end is called.
func serveUnix(t *testing.T, network, path string) (end func()) {
	t.Helper()
	l, err := net.ListenUnix(network, &net.UnixAddr{Name: path, Net: network})
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		var held []net.Conn
		for {
			conn, err := l.Accept()
			if err != nil {
				break
			}
			held = append(held, conn)
		}
		for _, conn := range held {
			_ = conn.Close()
		}
	})
	end = sync.OnceFunc(func() {
		_ = l.Close()
		done.Wait()
	})
	t.Cleanup(end)
	return end
}

func dialUnix(t *testing.T, network, path string) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func fails(t *testing.T, network, path string, want error) {
	t.Helper()
	conn, err := net.Dial(network, path)
	if err == nil {
		_ = conn.Close()
	}
	if !errors.Is(err, want) {
		t.Fatalf("dial %s: %v, want %v", path, err, want)
	}
}

func unixCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(t.Context(), exe, slices.Concat([]string{childArg, unixChild}, args)...)
}

// unixChildMain does one thing and, where it serves, waits for its standard input to end.
func unixChildMain(args []string) int {
	err := fmt.Errorf("unknown %q", args)
	switch args[0] {
	case "dial":
		var conn net.Conn
		if conn, err = net.Dial("unix", args[1]); err == nil {
			err = conn.Close()
		}
	case "private": // serves and dials a path below a directory that nobody else sees
		err = servePrivately(args[1], args[2])
	case "leave": // serves a path of a directory that it leaves
		err = serveAndLeave(args[1])
	case "jailed": // serves, and dials from a chroot
		err = serveJailed(args[1], args[2], args[3:])
	case "write": // on a socket that it was given
		_, err = unix.Write(3, []byte(args[1]))
	case "receive":
		err = receiveListener()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func servePrivately(dir, path string) error {
	if err := errors.Join(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount("tmpfs", dir, "tmpfs", 0, "")); err != nil {
		return err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		return err
	}
	waitForEnd()
	return errors.Join(conn.Close(), l.Close())
}

func serveAndLeave(path string) error {
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		if _, err := l.Accept(); err != nil { // whose connection stays
			return err
		}
	}
}

func receiveListener() error {
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(3, make([]byte, 1), rights, 0)
	if err != nil {
		return err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		return fmt.Errorf("%d messages: %w", len(messages), err)
	}
	if _, err := unix.ParseUnixRights(&messages[0]); err != nil {
		return err
	}
	waitForEnd()
	return nil
}

func waitForEnd() { _, _ = os.Stdin.Read(make([]byte, 1)) }
