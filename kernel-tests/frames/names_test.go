package frames

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/agent/names"
	"cassini/agent/names/socket"
	"cassini/agent/netconf"
	"cassini/agent/netns"
	"cassini/model"

	"golang.org/x/net/dns/dnsmessage"
)

// asker is a machine that hears by which names its programs ask for addresses.
type asker struct {
	*names.Names
	t  testing.TB
	ns netns.Namespace

	mu   sync.Mutex
	told map[string]string // names by address
}

// newAsker listens in a namespace, which stands for the machine, until the test ends.
func newAsker(t testing.TB, ns string) *asker {
	t.Helper()
	l := &asker{t: t, ns: find(t, ns), told: make(map[string]string)}
	l.Names = names.New(names.Config{
		Host: "asker", Emit: l.emit, Logger: slog.New(slog.DiscardHandler),
		Open: func(at netns.Namespace, server netip.Addr) (names.Socket, error) { return socket.Open(server, at.Do) },
	})
	l.Publish(nil)
	links := netconf.New(netconf.Config{Host: "asker", Emit: func(...model.Document) {}, Logger: slog.New(slog.DiscardHandler), Links: func(at netns.Namespace, i model.Interface) {
		if at.Name == ns {
			l.Link(at, i)
		}
	}})
	t.Cleanup(func() { // behind what run does
		if n := l.Stats().Resolvers; n != 0 {
			t.Errorf("%d sockets are left", n)
		}
	})
	run(t, l.Run, links.Run)
	<-links.Ready()
	return l
}

func find(t testing.TB, name string) netns.Namespace {
	t.Helper()
	list, err := netns.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, ns := range list {
		if ns.Name == name {
			return ns
		}
	}
	t.Fatalf("no namespace %s", name)
	return netns.Namespace{}
}

func (l *asker) emit(docs ...model.Document) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, doc := range docs {
		var a model.Asked
		if err := doc.Decode(&a); err != nil {
			l.t.Error(err)
		}
		var list []string
		for _, n := range a.Names {
			list = append(list, n.Name+"("+n.Canonical+")@"+n.Server)
		}
		l.told[a.Addr.String()] = strings.Join(list, " ")
	}
}

func (l *asker) names(addr string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.told[addr]
}

// dials tells that a program of the machine is a client of an address.
func (l *asker) dials(addr string, port uint16) {
	l.t.Helper()
	d := model.Dependency{Direction: model.Out, Proto: "udp", Client: netip.IPv4Unspecified(), Server: netip.MustParseAddr(addr), Port: port, Netns: l.ns.Inode, NetnsName: l.ns.Name}
	doc, err := model.NewDocument(model.Name{Host: "asker", Package: model.PackageDependencies, Key: d.Key()}, time.Now(), d)
	if err != nil {
		l.t.Fatal(err)
	}
	l.Captured(doc)
}

// dial opens a socket of a program of the machine.
func (l *asker) dial(to string) net.Conn {
	l.t.Helper()
	var conn net.Conn
	err := l.ns.Do(func() (err error) { conn, err = net.Dial("udp", to); return err })
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { conn.Close() })
	return conn
}

// ask asks a name server, as often as it takes for it to have started, and gives its
// answer's addresses.
func (l *asker) ask(server, name string, kind dnsmessage.Type) []string {
	l.t.Helper()
	conn := l.dial(net.JoinHostPort(server, "53"))
	question := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, RecursionDesired: true}, Questions: []dnsmessage.Question{
		{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET},
	}}
	raw, err := question.Pack()
	if err != nil {
		l.t.Fatal(err)
	}
	var addrs []string
	eventually(l.t, server+" answers", func() bool {
		buf := make([]byte, 4096)
		_, _ = conn.Write(raw)                             // refused while it starts, which the read says at once
		_ = conn.SetReadDeadline(time.Now().Add(patience)) // asked twice is answered twice, and counted
		n, err := conn.Read(buf)
		if err != nil {
			return false
		}
		var m dnsmessage.Message
		if err := m.Unpack(buf[:n]); err != nil {
			l.t.Fatal(err)
		}
		for _, r := range m.Answers {
			switch body := r.Body.(type) {
			case *dnsmessage.AResource:
				addrs = append(addrs, netip.AddrFrom4(body.A).String())
			case *dnsmessage.AAAAResource:
				addrs = append(addrs, netip.AddrFrom16(body.AAAA).String())
			}
		}
		return true
	})
	return addrs
}

// dnsmasq runs a name server in a machine until the test ends.
func dnsmasq(t *testing.T, ns string, listen ...string) {
	t.Helper()
	args := []string{"dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=", "--bind-interfaces", "--except-interface=nothing",
		"--host-record=origin.cdn.test,203.0.113.7,2001:db8:77::7", "--cname=www.shop.test,alias.shop.test", "--cname=alias.shop.test,origin.cdn.test",
		"--host-record=plain.test,203.0.113.8", "--host-record=other.test,203.0.113.9"}
	for _, addr := range listen {
		args = append(args, "--listen-address="+addr)
	}
	serve(t, ns, args...)
}

// scene is a machine that asks, and one with name servers on two addresses.
func scene(t testing.TB) (here, server string) {
	here, server = machine(t, "asker"), machine(t, "server")
	cable(t, here, "eth0", server, "eth0")
	for _, args := range []string{
		"-n " + here + " link set lo up", "-n " + here + " addr add 10.77.0.1/24 dev eth0", "-n " + here + " addr add fd77::1/64 dev eth0 nodad",
		"-n " + server + " addr add 10.77.0.53/24 dev eth0", "-n " + server + " addr add 10.77.0.54/24 dev eth0", "-n " + server + " addr add fd77::53/64 dev eth0 nodad",
	} {
		ip(t, args)
	}
	return here, server
}

// What dnsmasq answers, through aliases, over IPv4, IPv6 and loopback, is heard; what
// comes from an address that is no name server of this machine is not even copied.
func TestNamesThatAreAskedFor(t *testing.T) {
	here, server := scene(t)
	dnsmasq(t, server, "10.77.0.53", "10.77.0.54", "fd77::53")
	dnsmasq(t, here, "127.0.0.1")
	l := newAsker(t, here)

	for i, addr := range []string{"10.77.0.53", "fd77::53", "127.0.0.1"} {
		l.dials(addr, 53)
		eventually(t, addr+" is listened to", func() bool { return l.Stats().Resolvers == i+1 })
	}
	l.dials("203.0.113.7", 443)
	l.dials("2001:db8:77::7", 443)
	l.dials("203.0.113.8", 443)

	if got := l.ask("10.77.0.53", "WWW.shop.test.", dnsmessage.TypeA); fmt.Sprint(got) != "[203.0.113.7]" {
		t.Fatalf("dnsmasq answers %v", got)
	}
	eventually(t, "a name by an alias", func() bool { return l.names("203.0.113.7") == "www.shop.test(origin.cdn.test)@10.77.0.53" })
	if got := l.ask("fd77::53", "origin.cdn.test.", dnsmessage.TypeAAAA); fmt.Sprint(got) != "[2001:db8:77::7]" {
		t.Fatalf("dnsmasq answers %v", got)
	}
	eventually(t, "a name over IPv6", func() bool { return l.names("2001:db8:77::7") == "origin.cdn.test()@fd77::53" })
	l.ask("127.0.0.1", "plain.test.", dnsmessage.TypeA)
	eventually(t, "a name over loopback", func() bool { return l.names("203.0.113.8") == "plain.test()@127.0.0.1" })

	l.dials("203.0.113.9", 443)
	l.ask("10.77.0.54", "other.test.", dnsmessage.TypeA) // not one of its name servers
	l.ask("10.77.0.53", "plain.test.", dnsmessage.TypeA)
	eventually(t, "what is asked afterwards", func() bool { return l.Stats().Answers >= 4 })
	if got := l.names("203.0.113.9"); got != "" {
		t.Errorf("from a stranger: %s", got)
	}

	ip(t, "-n "+here+" addr del 10.77.0.1/24 dev eth0")
	eventually(t, "the address goes", func() bool { return l.Stats().Resolvers == 2 })
	ip(t, "-n "+here+" addr add 10.77.0.2/24 dev eth0")
	eventually(t, "the name server is reached again", func() bool { return l.Stats().Resolvers == 3 })
	l.ask("10.77.0.53", "other.test.", dnsmessage.TypeA)
	eventually(t, "a name at another address", func() bool { return l.names("203.0.113.9") == "other.test()@10.77.0.53" })
}

// Only answers from port 53 pass the filter: neither questions, refusals and empty
// answers, nor other datagrams of the same machine.
func TestOtherDatagramsAreNotRead(t *testing.T) {
	here, server := scene(t)
	dnsmasq(t, server, "10.77.0.53")
	l := newAsker(t, here)
	l.dials("10.77.0.53", 53)
	eventually(t, "the name server is listened to", func() bool { return l.Stats().Resolvers == 1 })

	var echo net.PacketConn
	at := find(t, server)
	if err := at.Do(func() (err error) { echo, err = net.ListenPacket("udp", "10.77.0.53:7"); return err }); err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := echo.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = echo.WriteTo(buf[:n], from)
		}
	}()
	conn := l.dial("10.77.0.53:7")
	buf := make([]byte, 512)
	answer := []byte("\x00\x07\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00")
	eventually(t, "echoes", func() bool {
		_, _ = conn.Write(answer)
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		_, err := conn.Read(buf)
		return err == nil
	})
	l.ask("10.77.0.53", "nobody.shop.test.", dnsmessage.TypeA) // refused: dnsmasq knows no other
	l.ask("10.77.0.53", "plain.test.", dnsmessage.TypeAAAA)    // empty
	l.ask("10.77.0.53", "origin.cdn.test.", dnsmessage.TypeA)  // the only one
	l.dials("203.0.113.7", 443)
	eventually(t, "the answer", func() bool { return l.names("203.0.113.7") != "" })
	if got := l.Stats(); got.Answers != 1 || got.Malformed != 0 {
		t.Errorf("read %+v", got)
	}
}

// BenchmarkDatagramBesideNames is a datagram over loopback there and back, which no name
// server sent, with so many name servers listened to.
func BenchmarkDatagramBesideNames(b *testing.B) {
	for _, servers := range []int{0, 1, 3, 16} {
		b.Run(fmt.Sprintf("servers=%d", servers), func(b *testing.B) {
			here, _ := scene(b)
			at := find(b, here)
			for i := range servers {
				s, err := socket.Open(netip.AddrFrom4([4]byte{10, 77, 0, byte(60 + i)}), at.Do)
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
			}
			var there, back *net.UDPConn
			err := at.Do(func() (err error) {
				if there, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
					return err
				}
				back, err = net.DialUDP("udp4", nil, there.LocalAddr().(*net.UDPAddr))
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
			defer there.Close()
			defer back.Close()
			buf := make([]byte, 64)
			for b.Loop() {
				if _, err := back.Write(buf); err != nil {
					b.Fatal(err)
				}
				if _, _, err := there.ReadFromUDPAddrPort(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
