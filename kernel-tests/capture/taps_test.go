package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cassini/agent/host"
	"cassini/agent/taps"
	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// tapChild is the argument of a child process that opens a packet or raw socket.
const tapChild = "tap"

// tapChildMain opens a socket and holds it until its input ends: "packet", EtherType,
// interface or "", "promiscuous" or ""; "raw", IP protocol, address or "".
func tapChildMain(args []string) int {
	if err := openTap(args); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

func openTap(args []string) error {
	number, err := strconv.ParseUint(args[1], 0, 16)
	if err != nil {
		return err
	}
	if args[0] == "raw" {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, int(number))
		if err != nil || args[2] == "" {
			return err
		}
		return unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte(net.ParseIP(args[2]).To4())})
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		return err
	}
	link := &net.Interface{}
	if args[2] != "" {
		if link, err = net.InterfaceByName(args[2]); err != nil {
			return err
		}
	}
	order := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, uint16(number)))
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: order, Ifindex: link.Index}); err != nil {
		return err
	}
	if args[3] == "" {
		return nil
	}
	return unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &unix.PacketMreq{Ifindex: int32(link.Index), Type: unix.PACKET_MR_PROMISC})
}

// tapped is a child with a socket.
type tapped struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

// tap starts a child in a network namespace of its own and waits for its socket.
func tap(t *testing.T, args ...string) *tapped {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &tapped{cmd: exec.Command(exe, append([]string{childArg, tapChild}, args...)...)}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNET}
	in, err1 := c.cmd.StdinPipe()
	out, err2 := c.cmd.StdoutPipe()
	if err := errors.Join(err1, err2, c.cmd.Start()); err != nil {
		t.Fatal(err)
	}
	c.stdin = in
	t.Cleanup(c.end)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatalf("%v: %q, %v", args, line, err)
	}
	return c
}

func (c *tapped) end() {
	_ = c.stdin.Close()
	_ = c.cmd.Wait()
}

// tapRig is a running capture of packet and raw sockets and the documents that it emitted.
type tapRig struct {
	*taps.Taps
	t      *testing.T
	kernel *bpf.Taps

	mu     sync.Mutex
	latest map[string]model.Listener
	events []model.Listener
}

func startTaps(t *testing.T) *tapRig {
	t.Helper()
	kernel, err := bpf.OpenTaps(nil)
	if err != nil {
		t.Fatalf("open: %+v", err)
	}
	r := &tapRig{t: t, kernel: kernel, latest: make(map[string]model.Listener)}
	r.Taps = taps.New(taps.Config{Host: testHost, Kernel: kernel, Processes: host.NewProcesses(), Emit: r.emit, Logger: slog.New(slog.DiscardHandler)})
	runs(t, r.Taps)
	return r
}

func (r *tapRig) emit(docs ...model.Document) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, doc := range docs {
		var l model.Listener
		if err := errors.Join(doc.Validate(), doc.Decode(&l)); err != nil {
			r.t.Errorf("emitted: %v", err)
		}
		r.latest[doc.Key] = l
		r.events = append(r.events, l)
	}
}

// wait waits until a listener of a process matches; asking has open files looked at.
func (r *tapRig) wait(pid int, asking bool, what string, match func(model.Listener) bool) model.Listener {
	r.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if asking {
			if err := r.Refresh(r.t.Context()); err != nil {
				r.t.Fatal(err)
			}
		}
		r.mu.Lock()
		for _, l := range r.latest {
			if l.PID == pid && match(l) {
				r.mu.Unlock()
				return l
			}
		}
		r.mu.Unlock()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t.Fatalf("not seen of %d: %s; there is %+v", pid, what, r.latest)
	return model.Listener{}
}

func open(l model.Listener) bool  { return l.State == model.StateListening }
func ended(l model.Listener) bool { return l.State == model.StateEnded && l.Ended != nil }

// inKernel is the line of the child's only packet socket: protocol and interface, as
// the kernel itself tells them.
func (c *tapped) inKernel(t *testing.T) (protocol string, ifindex int) {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/packet", c.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	fields := strings.Fields(lines[len(lines)-1])
	if len(lines) != 2 || len(fields) < 5 {
		t.Fatalf("/proc/net/packet is %s", raw)
	}
	ifindex, err = strconv.Atoi(fields[4])
	if err != nil {
		t.Fatal(err)
	}
	return fields[3], ifindex
}

// Packet and raw sockets are named with who has them and what they hear, whether they are
// older than the agent or not, and end.
func TestTaps(t *testing.T) {
	sniffer := tap(t, "packet", "0x0003", "lo", "promiscuous")
	r := startTaps(t)
	trampolines := r.kernel.Packet() == nil
	if _, err := r.kernel.Raw(); (err == nil) != trampolines {
		t.Errorf("packet sockets: %v, raw sockets: %v", r.kernel.Packet(), err)
	}
	if inVM() && runtime.GOARCH == "amd64" && !trampolines {
		t.Errorf("this kernel has trampolines: %v", r.kernel.Packet())
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}

	old := r.wait(sniffer.cmd.Process.Pid, true, "an older packet socket", open)
	if protocol, ifindex := sniffer.inKernel(t); protocol != "0003" || ifindex != 1 {
		t.Errorf("the kernel has protocol %s at interface %d", protocol, ifindex)
	}
	if old.Proto != model.ProtoPacket || old.Hears != model.HearsAll || old.Number != 3 || !slices.Equal(old.Interfaces, []string{"lo"}) ||
		!old.Promiscuous || old.Exe != exe || old.UID != "root" || old.NetnsName == "" || !old.SinceApprox || old.Sockets != 1 {
		t.Errorf("older: %+v", old)
	}

	before := time.Now()
	lldp := tap(t, "packet", "0x88cc", "", "")
	young := r.wait(lldp.cmd.Process.Pid, !trampolines, "a packet socket", open)
	if young.Hears != "lldp" || len(young.Interfaces) != 0 || young.Promiscuous || young.Exe != exe {
		t.Errorf("younger: %+v", young)
	}
	if trampolines && (young.SinceApprox || young.Since.Before(before.Add(-time.Second))) {
		t.Errorf("it began %v, approximately: %t; opened after %v", young.Since, young.SinceApprox, before)
	}

	ping := tap(t, "raw", "1", "") // the kernel tells of it on each rung
	if l := r.wait(ping.cmd.Process.Pid, false, "a raw socket", open); l.Proto != model.ProtoRaw || l.Hears != "icmp" || l.SinceApprox || l.Exe != exe {
		t.Errorf("raw: %+v", l)
	}
	for what, child := range map[string]*tapped{"older": sniffer, "packet": lldp, "raw": ping} {
		child.end()
		r.wait(child.cmd.Process.Pid, !trampolines, "the end of the "+what+" one", ended)
	}
}

// What was open for a moment only is told where the kernel tells of it as it happens.
func TestShortTaps(t *testing.T) {
	r := startTaps(t)
	kinds := map[string][]string{"raw": {"raw", "112", ""}}
	if r.kernel.Packet() == nil {
		kinds["packet"] = []string{"packet", "0x88f7", "lo", ""}
	}
	for what, args := range kinds {
		child := tap(t, args...)
		child.end()
		l := r.wait(child.cmd.Process.Pid, false, "the end of a short "+what+" socket", ended)
		if l.Hears != map[string]string{"raw": "vrrp", "packet": "ptp"}[what] || l.Process.PID != child.cmd.Process.Pid {
			t.Errorf("%s: %+v", what, l)
		}
		if len(l.Cmdline) < 4 || l.Cmdline[3] != args[0] {
			t.Errorf("%s: command line %q", what, l.Cmdline)
		}
	}
}
