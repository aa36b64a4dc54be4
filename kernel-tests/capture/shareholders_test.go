package capture

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// shareWithOneFoundFirst begins a process that holds these sockets too, is younger than
// this one and has a smaller number, as one does that begins when numbers have started again: a
// walk over processes comes to it first. end ends it.
func shareWithOneFoundFirst(t *testing.T, sockets ...*os.File) (end func()) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const lastPID = "/proc/sys/kernel/ns_last_pid"
	last, err := os.ReadFile(lastPID)
	if err != nil {
		notTested(t, "the numbers of processes cannot be chosen here: %v", err)
	}
	defer func() {
		if err := os.WriteFile(lastPID, last, 0); err != nil {
			t.Error(err)
		}
		for _, s := range sockets {
			_ = s.Close()
		}
	}()
	for pid := os.Getpid() - 1; pid > 1; pid-- {
		if unix.Kill(pid, 0) == nil || os.WriteFile(lastPID, []byte(strconv.Itoa(pid-1)), 0) != nil {
			continue
		}
		cmd := exec.Command(exe, childArg) // waits to be killed
		cmd.ExtraFiles = sockets
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		end := func() { _, _ = cmd.Process.Kill(), cmd.Wait() }
		if cmd.Process.Pid < os.Getpid() {
			t.Cleanup(end)
			return end
		}
		end() // others began meanwhile
	}
	t.Fatal("all numbers of processes below this one's are taken")
	return nil
}

// fileOf is another descriptor of a connection.
func fileOf(t *testing.T, conn net.Conn) *os.File {
	t.Helper()
	file, err := conn.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// A connection that was there before, and that a younger process holds too, is that of the
// oldest: whoever has just been started holds all that its parent does until it runs its own program.
func TestExistingHeldByTwo(t *testing.T) {
	l := listen(t, "tcp4", "127.0.0.1:0", false)
	client, server := accepted(t, l, func() (net.Conn, error) { return net.Dial("tcp4", l.Addr().String()) })
	udp, err := net.Dial("udp4", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(freePort(t))).String())
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	end := shareWithOneFoundFirst(t, fileOf(t, client), fileOf(t, server), fileOf(t, udp))
	r := startUDP(t, bpf.Limits{})
	for _, direction := range []model.Direction{model.Out, model.In} {
		d := r.dependency(string(direction), func(d model.Dependency) bool { return d.Port == portOf(l) && d.Direction == direction })
		if d.Adopted != 1 || d.Open != 1 {
			t.Errorf("%s: %+v", direction, d.Counters)
		}
		checkSelf(t, d.Process)
	}
	to := netip.MustParseAddrPort(udp.RemoteAddr().String())
	d := r.dependency("UDP", func(d model.Dependency) bool { return d.Proto == "udp" && d.Port == to.Port() })
	if d.Adopted != 1 || d.Open != 1 {
		t.Errorf("UDP: %+v", d.Counters)
	}
	checkSelf(t, d.Process)
	_, _ = client.Close(), server.Close()
	end()
	for _, direction := range []model.Direction{model.Out, model.In} {
		r.dependency("closed", func(d model.Dependency) bool {
			return d.Port == portOf(l) && d.Direction == direction && d.Closed == 1 && d.Open == 0
		})
	}
}

// Likewise over Unix-domain sockets.
func TestUnixExistingHeldByTwo(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	serveUnix(t, "unix", path)
	end := shareWithOneFoundFirst(t, fileOf(t, dialUnix(t, "unix", path)))
	r := startUnix(t, bpf.UnixLimits{})
	if d := r.depends(path, counts(1, 0, 1)); d.Adopted != 1 || d.PID != os.Getpid() {
		t.Errorf("dependency is %+v", d)
	}
	if l := r.listens(path, listening); l.PID != os.Getpid() || l.Sockets != 1 {
		t.Errorf("listener is %+v", l)
	}
	end()
}

// Likewise of SCTP.
func TestSCTPBeforeHeldByTwo(t *testing.T) {
	loadSCTP(t)
	listener, port := sctpListen(t, unix.SOCK_STREAM, "127.0.0.1")
	client := sctpDial(t, unix.SOCK_STREAM, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port))
	server := sctpTake(t, listener, unix.SOCK_STREAM)
	defer closeFD(t, listener, client, server)
	var files []*os.File
	for _, fd := range []int{client, server} {
		other, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, os.NewFile(uintptr(other), "association"))
	}
	shareWithOneFoundFirst(t, files...)
	r := startSCTP(t)
	for _, direction := range []model.Direction{model.Out, model.In} {
		d := r.dependency(string(direction), sctpEdge(port, direction))
		if d.Adopted != 1 || d.Open != 1 {
			t.Errorf("%s: %+v", direction, d.Counters)
		}
		checkSelf(t, d.Process)
	}
}
