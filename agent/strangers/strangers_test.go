package strangers

import (
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"cassini/model"
)

// told keeps what was emitted.
type told struct {
	t    *testing.T
	docs []model.Document
}

func (d *told) emit(docs ...model.Document) { d.docs = append(d.docs, docs...) }

// take are the bodies of the documents of one kind since the last call.
func take[T any](d *told, pkg string) (list []T) {
	d.t.Helper()
	for _, doc := range d.docs {
		var body T
		if err := doc.Decode(&body); err != nil || doc.Package != pkg || doc.Host != "web-17" {
			d.t.Fatalf("document %s: %v", doc.Name, err)
		}
		list = append(list, body)
	}
	d.docs = nil
	return list
}

func start(t *testing.T, remembered ...model.Document) (*Strangers, *told) {
	d := &told{t: t}
	s := New(Config{Host: "web-17", Emit: d.emit, Logger: slog.New(slog.DiscardHandler)})
	for _, name := range []string{"eth0", "tap0", "tap1"} {
		s.Link(model.Interface{Name: name, State: model.InterfacePresent})
	}
	s.Publish(remembered)
	return s, d
}

func met(mac string) model.Seen {
	return model.Seen{Interface: "eth0", Addr: netip.MustParseAddr("10.0.0.9"), MAC: mac, By: model.SeenByARP}
}

const (
	first  = "02:00:00:00:00:01"
	second = "02:00:00:00:00:02"
)

func TestAnAddressIsToldWhenItIsNewOrMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := start(t)
		s.Meet(met(first))
		began := time.Now()
		s.Meet(met(first))
		if list := take[model.Seen](d, model.PackageSeen); len(list) != 1 || list[0].MAC != first || !list[0].FirstSeen.Equal(began) || list[0].Before != "" {
			t.Fatalf("told %+v", list)
		}
		time.Sleep(time.Hour)
		s.Meet(met(second))
		if list := take[model.Seen](d, model.PackageSeen); len(list) != 1 || list[0].Before != first || !list[0].Conflict.IsZero() ||
			!list[0].FirstSeen.Equal(began) || !list[0].Changed.Equal(time.Now()) {
			t.Fatalf("told %+v", list)
		}
		time.Sleep(2 * time.Minute) // a failover and its end
		s.Meet(met(first))
		if list := take[model.Seen](d, model.PackageSeen); len(list) != 1 || !list[0].Conflict.IsZero() {
			t.Fatalf("told %+v", list)
		}
	})
}

func TestTwoThatClaimAnAddressInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := start(t)
		for i := range 200 { // a minute and 40 s
			s.Meet(met([]string{first, second}[i%2]))
			time.Sleep(500 * time.Millisecond)
		}
		list := take[model.Seen](d, model.PackageSeen)
		disputes := 0
		for i, seen := range list {
			if !seen.Conflict.IsZero() && (i == 0 || !list[i-1].Conflict.Equal(seen.Conflict)) {
				disputes++
			}
		}
		// New, moved, back: a dispute; the next is told after a minute.
		if disputes != 2 || len(list) != 4 {
			t.Fatalf("%d disputes in %d documents: %+v", disputes, len(list), list)
		}
	})
}

// What the kernel had from before is told, until something else is, and when it is confirmed.
func TestWhatTheKernelHadBefore(t *testing.T) {
	s, d := start(t)
	before := func(mac string) model.Seen {
		m := met(mac)
		m.Unconfirmed = true
		return m
	}
	s.Meet(before(first))
	s.Meet(met(first))
	if list := take[model.Seen](d, model.PackageSeen); len(list) != 2 || !list[0].Unconfirmed || list[1].Unconfirmed || list[1].Before != "" {
		t.Fatalf("told %+v", list)
	}
	s.Meet(before(second)) // the table is read again
	s.Meet(before(first))
	if list := take[model.Seen](d, model.PackageSeen); len(list) != 0 {
		t.Fatalf("told %+v", list)
	}
}

func TestARouterStaysOne(t *testing.T) {
	s, d := start(t)
	router := met(first)
	router.Router = true
	s.Meet(met(first))
	s.Meet(router)
	s.Meet(met(first)) // ARP does not say
	if list := take[model.Seen](d, model.PackageSeen); len(list) != 2 || !list[1].Router {
		t.Fatalf("told %+v", list)
	}
}

func TestWhatClientsSayIsJoined(t *testing.T) {
	s, d := start(t)
	ask := func(class, name, server string, pxe bool) {
		asked := model.DHCP{Interface: "eth0", MAC: first, VendorClass: class, HostName: name, PXE: pxe}
		asked.Server, _ = netip.ParseAddr(server)
		s.Ask(asked)
	}
	ask("PXEClient:Arch:00007:UNDI:003016", "", "", true)
	ask("MSFT 5.0", "desk-4", "", false)
	ask("MSFT 5.0", "", "10.0.0.1", false)
	ask("PXEClient:Arch:00007:UNDI:003016", "", "10.0.0.1", true) // the next boot: nothing new
	ask("MSFT 5.0", "desk-4", "10.0.0.1", false)
	list := take[model.DHCP](d, model.PackageDHCP)
	if len(list) != 3 {
		t.Fatalf("told %+v", list)
	}
	if last := list[2]; last.HostName != "desk-4" || last.VendorClass != "MSFT 5.0" || !last.PXE || last.Server != netip.MustParseAddr("10.0.0.1") {
		t.Errorf("told %+v", last)
	}
}

// What the manager remembers is not told again, and what it remembers otherwise is.
func TestARestart(t *testing.T) {
	s, d := start(t)
	s.Meet(met(first))
	s.Ask(model.DHCP{Interface: "eth0", MAC: second, HostName: "desk-4"})
	remembered := d.docs
	again, d := start(t, remembered...)
	again.Meet(met(first))
	again.Ask(model.DHCP{Interface: "eth0", MAC: second})
	if len(d.docs) != 0 {
		t.Fatalf("told again %+v", d.docs)
	}
	again.Meet(met(second))
	if list := take[model.Seen](d, model.PackageSeen); len(list) != 1 || list[0].Before != first {
		t.Fatalf("told %+v", list)
	}

	late := &told{t: t} // the manager is reached after machines were met
	early := New(Config{Host: "web-17", Emit: late.emit, Logger: slog.New(slog.DiscardHandler)})
	early.Link(model.Interface{Name: "eth0", State: model.InterfacePresent})
	early.Meet(met(second))
	early.Ask(model.DHCP{Interface: "eth0", MAC: second})
	early.Publish(remembered)
	if list := take[model.Seen](late, model.PackageSeen); len(list) != 1 || list[0].Before != first {
		t.Fatalf("told %+v", list)
	}
}

func TestInventedMachinesAreBounded(t *testing.T) {
	s, d := start(t)
	invent := func(iface string, n int) {
		addr := netip.MustParseAddr("10.0.0.0")
		for range n {
			addr = addr.Next()
			s.Meet(model.Seen{Interface: iface, Addr: addr, MAC: first})
		}
	}
	invent("eth0", MaxOfInterface+10)
	s.Ask(model.DHCP{Interface: "eth0", MAC: first})
	if stats := s.Stats(); stats.Addresses != MaxOfInterface || stats.Refused != 11 || len(d.docs) != MaxOfInterface {
		t.Errorf("%+v, told %d", stats, len(d.docs))
	}
	for i := range 10 {
		invent(fmt.Sprintf("eth%d", i+1), MaxOfInterface)
	}
	if stats := s.Stats(); stats.Addresses != Max {
		t.Errorf("%+v", stats)
	}
	s.Meet(model.Seen{Interface: "eth0", Addr: netip.MustParseAddr("10.0.0.1"), MAC: second}) // known ones move
	if doc := d.docs[len(d.docs)-1]; doc.Key != "eth0/10.0.0.1" {
		t.Errorf("told %s", doc.Key)
	}
}

func TestServersAreToldOnce(t *testing.T) {
	s, d := start(t)
	server := model.DHCPServer{Interface: "eth0", Addr: netip.MustParseAddr("10.0.0.1")}
	s.Serve(server)
	s.Serve(server)
	if len(d.docs) != 1 || d.docs[0].Name.Key != "eth0/10.0.0.1" {
		t.Fatalf("told %+v", d.docs)
	}
	again, d := start(t, d.docs...)
	again.Serve(server)
	if len(d.docs) != 0 || again.Stats().Servers != 1 {
		t.Fatalf("told again %+v", d.docs)
	}
}

func TestAMachineMovesBetweenPorts(t *testing.T) {
	s, d := start(t)
	learned := model.Forwarding{Bridge: "br0", MAC: first, Port: "tap0"}
	s.Learn(learned)
	s.Learn(learned)
	learned.Port = "tap1"
	s.Learn(learned)
	list := take[model.Forwarding](d, model.PackageForwarding)
	if len(list) != 2 || list[1].Port != "tap1" || list[1].Before != "tap0" || !list[1].FirstSeen.Equal(list[0].FirstSeen) {
		t.Fatalf("told %+v", list)
	}
	s.Link(model.Interface{Name: "tap0", State: model.InterfaceGone})
	if len(d.docs) != 0 {
		t.Errorf("told %+v", d.docs)
	}
	s.Link(model.Interface{Name: "tap1", State: model.InterfaceGone})
	if len(d.docs) != 1 || !d.docs[0].Gone() || s.Stats().Forwarding != 0 || len(s.of) != 0 || s.sum != 0 {
		t.Errorf("told %+v; %+v, of %v", d.docs, s.Stats(), s.of)
	}
}

// What was met by an interface that is not there any more is forgotten, also after a
// restart: containers come and go by the thousand.
func TestWhatWasMetGoesWithTheInterface(t *testing.T) {
	s, d := start(t)
	s.Meet(met(first))
	s.Ask(model.DHCP{Interface: "eth0", MAC: second})
	s.Meet(model.Seen{Interface: "tap0", Addr: netip.MustParseAddr("10.0.0.9"), MAC: first})
	remembered := d.docs
	d.docs = nil
	s.Link(model.Interface{Name: "eth0", State: model.InterfaceGone})
	if len(d.docs) != 2 || !d.docs[0].Gone() || !d.docs[1].Gone() || s.Stats().Addresses != 1 || s.Stats().Clients != 0 {
		t.Errorf("told %+v; %+v", d.docs, s.Stats())
	}
	later := &told{t: t}
	again := New(Config{Host: "web-17", Emit: later.emit, Logger: slog.New(slog.DiscardHandler)})
	again.Link(model.Interface{Name: "tap0", State: model.InterfacePresent})
	again.Publish(remembered)
	if len(later.docs) != 2 || !later.docs[0].Gone() || !later.docs[1].Gone() || again.Stats().Addresses != 1 {
		t.Errorf("told %+v; %+v", later.docs, again.Stats())
	}
}
