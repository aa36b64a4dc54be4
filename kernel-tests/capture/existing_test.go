package capture

import (
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

func accepted(t *testing.T, l net.Listener, dial func() (net.Conn, error)) (client, server net.Conn) {
	t.Helper()
	client, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client, server
}

// What existed before is there at once, with owner and direction, whatever kind
// of listener it came through; and it is not counted as a new connection.
func TestExistingSockets(t *testing.T) {
	plain := listen(t, "tcp4", "127.0.0.1:0", false)
	mptcp := listen(t, "tcp", "[::]:0", true)
	for _, l := range []net.Listener{plain, mptcp} {
		address := "127.0.0.1:" + strconv.Itoa(int(portOf(l)))
		accepted(t, l, func() (net.Conn, error) { return net.Dial("tcp", address) })
		// A client that binds its address but not its port, and one that binds both.
		accepted(t, l, func() (net.Conn, error) {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
			return d.Dial("tcp", address)
		})
		accepted(t, l, func() (net.Conn, error) {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 3), Port: 20000 + int(portOf(l))%10000}}
			return d.Dial("tcp", address)
		})
	}
	r := start(t, bpf.Limits{})
	for _, l := range []net.Listener{plain, mptcp} {
		got := r.listener("the listener", func(d model.Listener) bool { return d.Port == portOf(l) })
		if !got.SinceApprox || got.Since.IsZero() {
			t.Errorf("since is %v, approximate %v", got.Since, got.SinceApprox)
		}
		checkSelf(t, got.Process)
		for _, client := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"} {
			for _, direction := range []model.Direction{model.Out, model.In} {
				got := r.dependency(client+" "+string(direction), func(d model.Dependency) bool {
					return d.Port == portOf(l) && d.Direction == direction && d.Client.String() == client
				})
				if got.Adopted != 1 || got.Connections != 0 || got.Open != 1 || got.Server.String() != "127.0.0.1" {
					t.Errorf("%s %s: %+v, server %s", client, direction, got.Counters, got.Server)
				}
				checkSelf(t, got.Process)
			}
		}
	}
	ours := func(d model.Dependency) bool { return d.PID == os.Getpid() } // others have connections of their own
	for _, d := range bodies(r, model.PackageDependencies, func(d model.Dependency) bool { return d.Direction == model.Unknown && ours(d) }) {
		t.Errorf("direction unknown: %+v", d)
	}
}

// Connections that were there before close into the same counters.
func TestExistingConnectionCloses(t *testing.T) {
	l := listen(t, "tcp4", "127.0.0.1:0", false)
	client, server := accepted(t, l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) })
	r := start(t, bpf.Limits{})
	_, _ = client.Close(), server.Close()
	for _, direction := range []model.Direction{model.Out, model.In} {
		got := r.dependency("closed", func(d model.Dependency) bool {
			return d.Port == portOf(l) && d.Direction == direction && d.Closed == 1
		})
		if got.Open != 0 || got.Adopted != 1 || got.Connections != 0 {
			t.Errorf("%s: %+v", direction, got.Counters)
		}
	}
}

// inNetns runs fn on a thread of its own in a new network namespace with lo up.
func inNetns(t *testing.T, fn func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		var err error
		defer func() { done <- err }() // fn may end the goroutine
		runtime.LockOSThread()         // never unlocked: the thread ends with the goroutine
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return
		}
		if err = loopbackUp(); err != nil {
			return
		}
		fn()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}

func TestNetworkNamespaces(t *testing.T) {
	var before, after *net.TCPListener
	inNetns(t, func() { before = listen(t, "tcp4", "127.0.0.1:0", false) })
	r := start(t, bpf.Limits{})
	inNetns(t, func() {
		after = listen(t, "tcp4", "127.0.0.1:0", false)
		talk(t, after, after.Addr().String(), 2)
	})
	a := r.listener("before", func(l model.Listener) bool { return l.Port == portOf(before) && l.NetnsName != "" })
	b := r.listener("after", func(l model.Listener) bool { return l.Port == portOf(after) && l.NetnsName != "" })
	if a.Netns == b.Netns || a.Netns == 0 || a.NetnsName != "net:["+strconv.Itoa(int(a.Netns))+"]" {
		t.Errorf("namespaces are %d %q and %d %q", a.Netns, a.NetnsName, b.Netns, b.NetnsName)
	}
	got := r.dependency("inside", func(d model.Dependency) bool {
		return d.Port == portOf(after) && d.Direction == model.Out && d.Closed == 2
	})
	if got.Netns != b.Netns {
		t.Errorf("connection is in namespace %d, listener in %d", got.Netns, b.Netns)
	}
}

// A listener handed to a child is the parent's that opened it, and stays while
// the child holds it.
func TestInheritedListener(t *testing.T) {
	l := listen(t, "tcp4", "127.0.0.1:0", false)
	file, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, childArg) // waits to be killed
	cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	r := start(t, bpf.Limits{})
	checkSelf(t, r.listener("held by two", func(d model.Listener) bool { return d.Port == portOf(l) }).Process)
	_, _ = file.Close(), l.Close()
	r.refresh()
	if got := bodies(r, model.PackageListeners, func(d model.Listener) bool { return d.Port == portOf(l) && d.State == model.StateEnded }); len(got) != 0 {
		t.Errorf("ended while a child holds it: %+v", got)
	}
	_ = cmd.Process.Kill()
	r.listener("ended with the child", func(d model.Listener) bool { return d.Port == portOf(l) && d.State == model.StateEnded })
}
