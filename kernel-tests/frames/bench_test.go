package frames

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"cassini/agent/frames/socket"
	"cassini/bpf"

	"golang.org/x/sys/unix"
)

// BenchmarkOrdinaryTraffic floods a host's link with frames that are neither LLDP nor
// CDP, in rounds with nobody listening, with Cassini's sockets and with lldpd by
// turns, and with a packet socket that meets every IPv4 packet and drops it in its filter,
// which is how others hear DHCP. It reports the time that a frame takes the sender, who on a veth pair also does
// the receiver's work in the kernel, as ratios to nobody's; and the CPU time of lldpd.
// Cassini's own is in the sockets' work alone: no frame reaches user space.
func BenchmarkOrdinaryTraffic(b *testing.B) {
	sw, host := machine(b, "sw"), machine(b, "host")
	cable(b, host, "eth0", sw, "p1")
	const round = 20_000
	ordinary := append([]byte{0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x08, 0x00}, make([]byte, 100)...)
	flood := make([][]byte, round)
	for i := range flood {
		flood[i] = ordinary
	}
	timed := func() float64 {
		start := time.Now()
		send(b, sw, "p1", flood...)
		return time.Since(start).Seconds()
	}
	timed()
	var lldpdTicks float64
	turns := []func() float64{
		timed,
		func() float64 { return timedBesideCassini(b, host, timed) },
		func() float64 {
			end := meetEverything(b, host)
			defer end()
			return timed()
		},
		func() float64 {
			pid, stop := listenWithLLDPD(b, host)
			defer stop()
			before := ticks(b, pid)
			took := timed()
			lldpdTicks += ticks(b, pid) - before
			return took
		},
	}
	sums := make([]float64, len(turns))
	for round := 0; b.Loop(); round++ {
		for i := range turns { // each comes first as often as any other
			turn := (round + i) % len(turns)
			sums[turn] += turns[turn]()
		}
	}
	nobody, ours, meets, theirs := sums[0], sums[1], sums[2], sums[3]
	b.ReportMetric(ours/nobody, "cassini/nobody")
	b.ReportMetric(theirs/nobody, "lldpd/nobody")
	b.ReportMetric(meets/nobody, "ip-socket/nobody")
	b.ReportMetric(nobody/round/float64(b.N)*1e9, "ns/frame")
	b.ReportMetric(lldpdTicks/100/theirs*100, "lldpd-cpu-%")
	b.ReportMetric(0, "ns/op")
}

// timedBesideCassini measures with all sockets that Cassini has in a namespace.
func timedBesideCassini(b *testing.B, host string, timed func() float64) float64 {
	e := newEstate(b, host)
	defer e.close()
	eventually(b, "listening", func() bool { return e.hosts[host].Stats().Links == 1 })
	ears := overhearing(b, host)
	defer func() { _ = ears.Close() }()
	took := timed()
	if c := counters(b, e.filter(host)); c.Seen > 100 {
		b.Errorf("%d frames met the filter of discovery frames", c.Seen)
	}
	if c, err := ears.Counters(); err != nil || c.Limited != 0 {
		b.Errorf("%+v, %v", c, err)
	}
	return took
}

// overhearing opens the sockets for announcements in a machine.
func overhearing(b *testing.B, ns string) (ears *socket.Announcements) {
	filter, err := bpf.OpenAnnouncements()
	if err != nil {
		b.Fatalf("%+v", err)
	}
	within(b, ns, func(enter func(func() error) error) (err error) {
		ears, err = socket.OpenAnnouncements(filter, enter)
		return err
	})
	return ears
}

// meetEverything opens a packet socket for IPv4 in a machine, whose filter drops what
// it meets.
func meetEverything(b *testing.B, ns string) (end func()) {
	filter, err := bpf.OpenFrames()
	if err != nil {
		b.Fatalf("%+v", err)
	}
	fd := -1
	within(b, ns, func(enter func(func() error) error) error {
		return enter(func() (err error) {
			fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
			return err
		})
	})
	protocol := binary.NativeEndian.Uint16([]byte{unix.ETH_P_IP >> 8, unix.ETH_P_IP & 0xff})
	if err := errors.Join(filter.Attach(fd), unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: protocol})); err != nil {
		b.Fatal(err)
	}
	return func() { _ = errors.Join(unix.Close(fd), filter.Close()) }
}

// listenWithLLDPD runs lldpd in a machine until it is stopped.
func listenWithLLDPD(b *testing.B, ns string) (pid int, stop func()) {
	dir, err := os.MkdirTemp("", "lldpd")
	if err != nil {
		b.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	path := dir + "/s"
	cmd := exec.Command("ip", "netns", "exec", ns, "lldpd", "-d", "-r", "-u", path)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	eventually(b, "lldpd listens", func() bool {
		out, err := exec.Command("lldpcli", "-u", path, "show", "interfaces").Output()
		return err == nil && strings.Contains(string(out), "eth0")
	})
	return cmd.Process.Pid, func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	}
}

// ticks is the CPU time of a process and its children's, in clock ticks.
func ticks(b *testing.B, pid int) (sum float64) {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range append(strings.Fields(string(children)), strconv.Itoa(pid)) {
		text, err := os.ReadFile("/proc/" + p + "/stat")
		if err != nil {
			b.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		for _, field := range strings.Fields(rest)[11:13] {
			n, err := strconv.ParseFloat(field, 64)
			if err != nil {
				b.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}
