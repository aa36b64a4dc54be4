package names

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cassini/agent/netns"
	"cassini/model"

	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// server is a name server's socket: what is sent into it is heard.
type server struct {
	in   chan []byte
	done chan struct{}
	once sync.Once
	lost uint32
}

func (s *server) Read() ([]byte, uint32, error) {
	select {
	case m := <-s.in:
		return m, s.lost, nil
	case <-s.done:
		return nil, 0, os.ErrClosed
	}
}

func (s *server) Close() error { s.once.Do(func() { close(s.done) }); return nil }

// rig runs Names with sockets that it has in hand.
type rig struct {
	*Names
	servers map[string]*server // "INODE/ADDR"
	opened  []string
	docs    []string
	refuse  map[string]bool
	stop    func()
}

func start(t *testing.T) *rig {
	t.Helper()
	r := &rig{servers: make(map[string]*server), refuse: make(map[string]bool)}
	r.Names = New(Config{
		Host: "web-17", Logger: slog.New(slog.DiscardHandler),
		Open: func(ns netns.Namespace, addr netip.Addr) (Socket, error) {
			key := fmt.Sprintf("%d/%s", ns.Inode, addr)
			if r.refuse[key] {
				return nil, fmt.Errorf("network is unreachable")
			}
			s := &server{in: make(chan []byte), done: make(chan struct{})}
			r.servers[key] = s
			r.opened = append(r.opened, key)
			return s, nil
		},
		Emit: func(docs ...model.Document) {
			for _, d := range docs {
				var a model.Asked
				if !d.Gone() && json.Unmarshal(d.Body, &a) != nil {
					t.Errorf("emitted %s", d.Body)
				}
				r.docs = append(r.docs, d.Key+"="+names(a))
			}
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	return r
}

// link tells of an interface of a namespace that has no process, so that nobody's
// resolv.conf is read.
func (r *rig) link(inode uint32, addrs ...string) {
	i := model.Interface{Name: "eth0", State: model.InterfacePresent, Addresses: make(map[string]model.IPConfig)}
	for _, a := range addrs {
		i.Addresses[a] = model.IPConfig{}
	}
	if addrs == nil {
		i.State = model.InterfaceGone
	}
	r.Link(netns.Namespace{Inode: inode, Name: fmt.Sprintf("cassini-test-%d", inode)}, i)
}

func dependency(t *testing.T, inode uint32, server string, port uint16) model.Document {
	t.Helper()
	d := model.Dependency{Direction: model.Out, Proto: "udp", Client: ip("10.0.0.1"), Server: ip(server), Port: port, Netns: inode, NetnsName: fmt.Sprintf("cassini-test-%d", inode)}
	doc, err := model.NewDocument(model.Name{Host: "web-17", Package: model.PackageDependencies, Key: d.Key()}, noon, d)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// Another life of a program asks its name server from a network namespace of its own: what
// is told as progress of one dependency is listened to as well.
func TestFollowsLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		defer r.stop()
		r.Publish(nil)
		r.link(7, "10.0.0.1/24")
		r.link(8, "10.0.0.1/24")
		life := func(inode uint32, port uint16) model.Document {
			d := model.Dependency{Direction: model.Out, Proto: "udp", Client: ip("10.0.0.1"), Server: ip("10.0.0.53"), Port: port, Netns: inode, NetnsName: model.NetnsOfLives}
			doc, err := model.NewDocument(model.Name{Host: "web-17", Package: model.PackageDependencies, Key: d.Key()}, noon, d)
			if err != nil {
				t.Fatal(err)
			}
			doc.Progress = inode != 7
			return doc
		}
		r.Captured(life(7, 53), life(8, 53), life(8, 153))
		synctest.Wait()
		slices.Sort(r.opened)
		if !slices.Equal(r.opened, []string{"7/10.0.0.53", "8/10.0.0.53"}) {
			t.Errorf("opened %q", r.opened)
		}
	})
}

func message(t *testing.T, name, addr string) []byte {
	t.Helper()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{Response: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		Answers: []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 60},
			Body:   &dnsmessage.AResource{A: ip(addr).As4()},
		}},
	}
	raw, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Whom a program asks is listened to, in its namespace, anew when addresses change, and
// not beyond the namespace's life.
func TestFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		defer r.stop()
		r.Publish(nil)
		r.Captured(dependency(t, 7, "10.0.0.53", 53)) // before its namespace is told
		synctest.Wait()
		r.link(7, "10.0.0.1/24")
		synctest.Wait()
		r.Captured(dependency(t, 7, "192.0.2.1", 443), dependency(t, 7, "10.0.0.53", 53))
		synctest.Wait()
		if !slices.Equal(r.opened, []string{"7/10.0.0.53"}) {
			t.Fatalf("opened %q", r.opened)
		}
		first := r.servers["7/10.0.0.53"]
		first.in <- message(t, "www.example.com.", "192.0.2.1")
		first.in <- message(t, "other.example.com.", "192.0.2.9") // nobody's server
		first.in <- []byte{1, 2, 3}
		synctest.Wait()
		if !slices.Equal(r.docs, []string{"192.0.2.1@cassini-test-7=www.example.com"}) {
			t.Errorf("emitted %q", r.docs)
		}
		r.link(7, "10.0.0.1/24")
		r.link(7, "10.0.0.2/24")
		synctest.Wait()
		if len(r.opened) != 2 || r.servers["7/10.0.0.53"] == first {
			t.Errorf("another address: opened %q", r.opened)
		}
		select {
		case <-first.done:
		default:
			t.Error("the socket of the address before is open")
		}
		r.link(7)
		synctest.Wait()
		if got := r.Stats(); got.Resolvers != 0 || got.Answers != 3 || got.Malformed != 1 || got.Named != 1 || got.Heard != 2 {
			t.Errorf("stats %+v", got)
		}
	})
}

// One at a link-local address is reached by the interface that the document names.
func TestFollowsLinkLocal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		defer r.stop()
		r.link(7, "10.0.0.1/24")
		synctest.Wait()
		d := model.Dependency{Direction: model.Out, Proto: "udp", Client: ip("fe80::2"), Server: ip("fe80::53"), Port: 53, Netns: 7, Interface: "eth0"}
		doc, err := model.NewDocument(model.Name{Host: "web-17", Package: model.PackageDependencies, Key: d.Key()}, noon, d)
		if err != nil {
			t.Fatal(err)
		}
		r.Captured(doc)
		synctest.Wait()
		if !slices.Equal(r.opened, []string{"7/fe80::53%eth0"}) {
			t.Errorf("opened %q", r.opened)
		}
	})
}

// A name server that cannot be reached is tried again when addresses change.
func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		defer r.stop()
		r.refuse["7/10.0.0.53"] = true
		r.link(7, "10.0.0.1/24")
		synctest.Wait()
		r.Captured(dependency(t, 7, "10.0.0.53", 53))
		synctest.Wait()
		delete(r.refuse, "7/10.0.0.53")
		r.link(7, "10.0.0.1/24", "10.1.0.1/24")
		synctest.Wait()
		if !slices.Equal(r.opened, []string{"7/10.0.0.53"}) || r.Stats().Resolvers != 1 {
			t.Errorf("opened %q", r.opened)
		}
	})
}

func TestServersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		defer r.stop()
		r.link(7, "10.0.0.1/24")
		synctest.Wait()
		for i := range 100 {
			r.Captured(dependency(t, 7, fmt.Sprintf("10.0.1.%d", i), 53))
		}
		synctest.Wait()
		if got := r.Stats(); got.Resolvers != maxServersOfSpace || got.Refused != 100-maxServersOfSpace {
			t.Errorf("stats %+v", got)
		}
	})
}

// A flood is read at a bounded rate: what is beyond is the kernel's to drop.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		defer r.stop()
		r.link(7, "10.0.0.1/24")
		synctest.Wait()
		r.Captured(dependency(t, 7, "10.0.0.53", 53))
		synctest.Wait()
		s, m := r.servers["7/10.0.0.53"], message(t, "a.example.", "192.0.2.1")
		s.lost = 42
		for began := time.Now(); time.Since(began) < 10*time.Second; {
			select {
			case s.in <- m:
			case <-time.After(20 * time.Second):
			}
		}
		if got := r.Stats(); got.Answers > 11*readAtOnce || got.Lost != 42 {
			t.Errorf("stats %+v", got)
		}
	})
}

// told is a document that the manager has.
func told(t *testing.T, addr, name string) model.Document {
	t.Helper()
	a := model.Asked{Addr: ip(addr), Names: []model.AskedName{{Name: name, First: noon}}}
	doc, err := model.NewDocument(model.Name{Host: "web-17", Package: model.PackageNames, Key: a.Key()}, noon, a)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// What the manager remembers is neither sent again nor lost.
func TestPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t)
		defer r.stop()
		heard(r.memory, "new.example", "192.0.2.2", noon)
		heard(r.memory, "c.example", "192.0.2.3", noon)
		before := dependency(t, 0, "192.0.2.3", 443)
		before.Progress = true
		before.Body = []byte(strings.ReplaceAll(string(before.Body), `"netns_name":"cassini-test-0",`, ""))
		r.Publish([]model.Document{told(t, "192.0.2.1", "a.example"), told(t, "192.0.2.2", "old.example"), before})
		slices.Sort(r.docs)
		if !slices.Equal(r.docs, []string{"192.0.2.2=new.example", "192.0.2.3=c.example"}) || r.Stats().Named != 3 {
			t.Errorf("emitted %q, %+v", r.docs, r.Stats())
		}
	})
}

// What the manager remembers and this host has no place for is forgotten there too.
func TestPublishBeyondLimit(t *testing.T) {
	var docs []string
	n := New(Config{Host: "web-17", Logger: slog.New(slog.DiscardHandler), Emit: func(list ...model.Document) {
		for _, d := range list {
			docs = append(docs, fmt.Sprint(d.Key, " gone: ", d.Gone()))
		}
	}})
	n.memory.dialled.limit = 2
	n.Publish([]model.Document{told(t, "192.0.2.1", "a.example"), dependency(t, 0, "192.0.2.2", 443), told(t, "192.0.2.3", "c.example")})
	if !slices.Equal(docs, []string{"192.0.2.1 gone: true"}) || n.Stats().Named != 1 {
		t.Errorf("emitted %q, %+v", docs, n.Stats())
	}
}

func TestServersOfResolvConf(t *testing.T) {
	for in, want := range map[string]string{
		"nameserver 127.0.0.53\noptions edns0\n":                                   "[127.0.0.53]",
		"# nameserver 1.1.1.1\nnameserver\t10.0.0.53 # x\nnameserver fe80::1%eth0": "[10.0.0.53 fe80::1%eth0]",
		"nameserver 1\nnameserver x\n":                                             "[127.0.0.1]",
		"":                                                                         "[127.0.0.1]",
		"nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4": "[10.0.0.1 10.0.0.2 10.0.0.3]",
	} {
		if got := fmt.Sprint(servers(in)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}
