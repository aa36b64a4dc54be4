package frames

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"cassini/agent/frames/overhear"
	"cassini/agent/frames/socket"
	"cassini/agent/netconf"
	"cassini/agent/netns"
	"cassini/agent/strangers"
	"cassini/bpf"
	"cassini/model"
)

// watch is a machine that listens to others.
type watch struct {
	*overhear.Overhear
	t  *testing.T
	ns string

	mu      sync.Mutex
	seen    map[string]model.Seen
	clients map[string]model.DHCP
	servers map[string]model.DHCPServer
	told    map[string]int
}

// newWatch listens in a namespace, which stands for the machine, until the test ends.
// What the kernel's own table of neighbours tells is left out.
func newWatch(t *testing.T, ns string) *watch {
	t.Helper()
	w := &watch{t: t, ns: ns, seen: map[string]model.Seen{}, clients: map[string]model.DHCP{}, servers: map[string]model.DHCPServer{}, told: map[string]int{}}
	memory := strangers.New(strangers.Config{Host: "watch", Emit: w.emit, Logger: slog.New(slog.DiscardHandler)})
	memory.Publish(nil)
	w.Overhear = overhear.New(overhear.Config{
		Open: func(at netns.Namespace) (overhear.Socket, error) {
			filter, err := bpf.OpenAnnouncements()
			if err != nil {
				return nil, err
			}
			return socket.OpenAnnouncements(filter, at.Do)
		},
		Strangers: memory,
		Logger:    slog.New(slog.DiscardHandler),
	})
	links := netconf.New(netconf.Config{Host: "watch", Emit: func(...model.Document) {}, Logger: slog.New(slog.DiscardHandler), Links: w.link})
	run(t, w.Run, links.Run)
	<-links.Ready()
	eventually(t, "listening", func() bool { return w.Stats().Namespaces == 1 })
	return w
}

func (w *watch) link(ns netns.Namespace, i model.Interface) {
	if ns.Name != w.ns {
		return
	}
	i.Netns, ns.Name = "", ""
	w.Link(ns, i)
}

func (w *watch) emit(docs ...model.Document) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, doc := range docs {
		var s model.Seen
		var c model.DHCP
		var d model.DHCPServer
		body := map[string]any{model.PackageSeen: &s, model.PackageDHCP: &c, model.PackageDHCPServers: &d}[doc.Package]
		if err := doc.Decode(body); err != nil {
			w.t.Errorf("document %s: %v", doc.Name, err)
		}
		w.told[doc.Package+" "+doc.Key]++
		switch doc.Package {
		case model.PackageSeen:
			w.seen[doc.Key] = s
		case model.PackageDHCP:
			w.clients[doc.Key] = c
		case model.PackageDHCPServers:
			w.servers[doc.Key] = d
		}
	}
}

// sees waits until an address was met at a hardware address.
func (w *watch) sees(addr, mac string) (s model.Seen) {
	w.t.Helper()
	eventually(w.t, addr+" at "+mac, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		s = w.seen["eth0/"+netip.MustParseAddr(addr).String()]
		return s.MAC == mac
	})
	return s
}

// segment is a bridge in a namespace of its own and machines on it.
func segment(t *testing.T, machines ...string) map[string]string {
	t.Helper()
	sw := machine(t, "sw")
	ip(t, "-n "+sw+" link add br0 type bridge mcast_snooping 0")
	ip(t, "-n "+sw+" link set br0 up")
	all := map[string]string{"sw": sw}
	for i, name := range machines {
		all[name] = machine(t, name)
		port := fmt.Sprintf("p%d", i)
		cable(t, all[name], "eth0", sw, port)
		ip(t, "-n "+sw+" link set "+port+" master br0")
	}
	return all
}

func macOf(t *testing.T, ns, name string) string {
	t.Helper()
	out, err := exec.Command("ip", "-n", ns, "-br", "link", "show", name).Output()
	fields := strings.Fields(string(out))
	if err != nil || len(fields) < 3 {
		t.Fatalf("%s of %s: %v: %s", name, ns, err, out)
	}
	return fields[2]
}

// in runs a program in a machine to its end.
func in(t *testing.T, ns string, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", append([]string{"netns", "exec", ns}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// serve runs a program in a machine until the test ends.
func serve(t *testing.T, ns string, args ...string) {
	t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", ns}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s printed:\n%s", args[0], log.String())
		}
	})
}

// Machines that talk with each other, and never with the one that listens.
func TestMachinesAreOverheard(t *testing.T) {
	m := segment(t, "watch", "left", "right")
	w := newWatch(t, m["watch"])
	ip(t, "-n "+m["left"]+" addr add 10.7.0.2/24 dev eth0")
	ip(t, "-n "+m["right"]+" addr add 10.7.0.3/24 dev eth0")
	in(t, m["left"], "bash", "-c", "echo > /dev/udp/10.7.0.3/9") // asks everyone who has it
	left := macOf(t, m["left"], "eth0")
	s := w.sees("10.7.0.2", left)
	if s.By != model.SeenByARP || s.Interface != "eth0" {
		t.Errorf("%+v", s)
	}
	for round := range 3 { // nothing new: no frame reaches us
		ip(t, "-n "+m["left"]+" neigh flush all")
		in(t, m["left"], "bash", "-c", "echo > /dev/udp/10.7.0.3/9")
		eventually(t, "held back", func() bool { return w.Stats().Known > uint64(round) })
	}
	if stats := w.Stats(); stats.Heard["arp"] != 1 || w.told["seen eth0/10.7.0.2"] != 1 {
		t.Errorf("%+v, told %v", stats, w.told)
	}

	// Another machine takes the address over, and then both claim it.
	ip(t, "-n "+m["left"]+" addr del 10.7.0.2/24 dev eth0")
	ip(t, "-n "+m["right"]+" addr add 10.7.0.2/24 dev eth0")
	right := macOf(t, m["right"], "eth0")
	send(t, m["right"], "eth0", gratuitous(right, "10.7.0.2"))
	if s := w.sees("10.7.0.2", right); s.Before != left || !s.Conflict.IsZero() {
		t.Errorf("%+v", s)
	}
	send(t, m["left"], "eth0", gratuitous(left, "10.7.0.2"))
	if s := w.sees("10.7.0.2", left); s.Conflict.IsZero() {
		t.Errorf("no dispute: %+v", s)
	}
}

// gratuitous is an ARP frame by which a machine says that it has an address.
func gratuitous(mac, addr string) []byte {
	var hw [6]byte
	_, _ = fmt.Sscanf(mac, "%02x:%02x:%02x:%02x:%02x:%02x", &hw[0], &hw[1], &hw[2], &hw[3], &hw[4], &hw[5])
	at := netip.MustParseAddr(addr).As4()
	f := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, hw[:]...)
	f = append(f, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1)
	f = append(append(f, hw[:]...), at[:]...)
	f = append(append(f, 0, 0, 0, 0, 0, 0), at[:]...)
	return append(f, make([]byte, 18)...)
}

// A real server and a real client: who serves, who asks, and who routes.
func TestDHCPAndRouters(t *testing.T) {
	m := segment(t, "watch", "desk", "server")
	w := newWatch(t, m["watch"])
	ip(t, "-n "+m["server"]+" addr add 10.7.0.1/24 dev eth0")
	ip(t, "-n "+m["server"]+" addr add 2001:db8:7::1/64 dev eth0 nodad")
	serve(t, m["server"], "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--user=root", "--pid-file=", "--leasefile-ro",
		"--dhcp-range=10.7.0.50,10.7.0.50,255.255.255.0,1h", "--dhcp-range=2001:db8:7::,ra-only", "--enable-ra", "--ra-param=eth0,4")
	desk, server := macOf(t, m["desk"], "eth0"), macOf(t, m["server"], "eth0")
	serve(t, m["desk"], "udhcpc", "-f", "-i", "eth0", "-s", "/bin/true", "-x", "hostname:desk-4", "-V", "PXEClient:Arch:00007:UNDI:003016", "-t", "20", "-T", "1")
	var client model.DHCP
	eventually(t, "the client", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		client = w.clients["eth0/"+desk]
		return client.Addr.IsValid()
	})
	if client.HostName != "desk-4" || !client.PXE || client.Addr != netip.MustParseAddr("10.7.0.50") || client.Server != netip.MustParseAddr("10.7.0.1") {
		t.Errorf("%+v", client)
	}
	eventually(t, "the server", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.servers["eth0/10.7.0.1"].Addr.IsValid()
	})
	eventually(t, "the router", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, s := range w.seen {
			if s.Router && s.MAC == server && s.By == model.SeenByND && s.Addr.IsLinkLocalUnicast() {
				return true
			}
		}
		return false
	})
	if stats := w.Stats(); stats.Malformed["nd"]+stats.Malformed["dhcp"]+stats.Malformed["arp"] != 0 {
		t.Errorf("%+v", stats)
	}
}

// Whoever invents machines is held back, and every frame is accounted for.
func TestInventedMachines(t *testing.T) {
	m := segment(t, "watch", "liar")
	w := newWatch(t, m["watch"])
	const many = 20_000
	flood := make([][]byte, many)
	for i := range flood {
		flood[i] = gratuitous("02:00:00:00:00:09", fmt.Sprintf("10.%d.%d.%d", i>>16&255+1, i>>8&255, i&255))
	}
	send(t, m["liar"], "eth0", flood...)
	send(t, m["liar"], "eth0", []byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x09\x08\x06\x00\x01\x08\x00\x06\x04")) // cut
	stats := w.Stats()
	eventually(t, "every frame", func() bool { // the kernel may take some of them later
		stats = w.Stats()
		return stats.Heard["arp"]+stats.Limited >= many
	})
	if stats.Limited < many*9/10 || stats.Heard["arp"]+stats.Limited != many {
		t.Errorf("%+v", stats)
	}
	eventually(t, "the first of them", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.seen) == int(stats.Heard["arp"])
	})
}
