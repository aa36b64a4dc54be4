package translate

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// rewriting makes a program like those that translate services in place of a proxy: who
// connects to one address connects to another one on loopback.
func rewriting(t *testing.T, from netip.Addr, port uint16) *ebpf.Program {
	t.Helper()
	const userIP4, userPort = 4, 24 // struct bpf_sock_addr
	network := func(a netip.Addr) int32 { return int32(binary.NativeEndian.Uint32(a.AsSlice())) }
	bigPort := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, port))
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.CGroupSockAddr, AttachType: ebpf.AttachCGroupInet4Connect, License: "GPL",
		Instructions: asm.Instructions{
			asm.LoadMem(asm.R2, asm.R1, userIP4, asm.Word),
			asm.JNE.Imm32(asm.R2, network(from), "out"),
			asm.Mov.Imm32(asm.R2, network(netip.MustParseAddr("127.0.0.1"))),
			asm.StoreMem(asm.R1, userIP4, asm.R2, asm.Word),
			asm.Mov.Imm32(asm.R2, int32(bigPort)),
			asm.StoreMem(asm.R1, userPort, asm.R2, asm.Word),
			asm.Mov.Imm(asm.R0, 1).WithSymbol("out"),
			asm.Return(),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return program
}

// unified is where cgroup v2 is mounted.
func unified(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1]
		}
	}
	t.Fatal("cgroup v2 is not mounted: mount -t cgroup2 none /sys/fs/cgroup")
	return ""
}

// Where an eBPF program at a cgroup translates, the socket itself is connected to the
// server: the edge is right at once, and the address that the program asked for is not known.
func TestRewrittenByCgroupProgram(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	address := netip.MustParseAddrPort(l.Addr().String())
	dir := filepath.Join(unified(t), "cassini-translate-test")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	attached, err := link.AttachCgroup(link.CgroupOptions{
		Path: dir, Attach: ebpf.AttachCGroupInet4Connect, Program: rewriting(t, netip.MustParseAddr("192.0.2.82"), address.Port()),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer attached.Close()
	r := start(t)
	cgroup, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer cgroup.Close()
	cmd := exec.Command(os.Args[0], "child", "dial", "192.0.2.82:80", "1")
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(cgroup.Fd())}
	go func() {
		if conn, err := l.Accept(); err == nil {
			_, _ = conn.Write([]byte("rewritten"))
			_ = conn.Close()
		}
	}()
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "rewritten" {
		t.Fatalf("%s, %v", out, err)
	}
	r.wait("the edge to who answers", func() bool {
		d := r.dependencies("translate.test")[address.String()]
		return d.Connections == 1 && len(d.SeenBy) == 2 && d.Dialled == nil
	})
}
