package graph

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"cassini/model"
)

// service is one program, protocol and port in one place, with every address it
// listens on or listened on.
type service struct {
	place
	listeners map[netip.Addr]model.Listener
	documents map[model.Name]struct{} // that described it
	now       model.Service           // derived from listeners
}

// socket is an address that a service listens on.
type socket struct {
	place
	service string // "" as a key of Graph.sockets
	proto   string
	addr    netip.Addr
	port    uint16
}

func (s socket) anyService() socket { s.service = ""; return s }

// endedTogether is how far apart the listeners of one service end when it stops.
const endedTogether = 10 * time.Second

func (g *Graph) applyListener(doc model.Document, e *events) bool {
	before, known := g.listening[doc.Name]
	if doc.Gone() {
		if known {
			g.endListener(before, doc.Time, e)
			delete(g.listening, doc.Name)
		}
		return true
	}
	var l model.Listener
	if doc.Decode(&l) != nil || !l.Addr.IsValid() || l.Proto == "" || l.State != model.StateListening && l.State != model.StateEnded {
		return false
	}
	l.Addr = l.Addr.Unmap()
	if l.State == model.StateEnded && l.Ended == nil {
		l.Ended = &doc.Time
	}
	now := socket{place{doc.Host, l.NetnsName}, l.ServiceID(doc.Host), l.Proto, l.Addr, l.Port}
	if known && before != now {
		g.endListener(before, doc.Time, e) // another program has taken the address
	}
	g.listening[doc.Name] = now
	g.findService(now).documents[doc.Name] = struct{}{}
	g.setListener(now, l, e)
	return true
}

// endListener ends what an earlier document described.
func (g *Graph) endListener(at socket, when time.Time, e *events) {
	s := g.services[at.service]
	if s == nil {
		return
	}
	if l := s.listeners[at.addr]; l.State == model.StateListening {
		l.State, l.Ended, l.Sockets = model.StateEnded, &when, 0
		g.setListener(at, l, e)
	}
}

// findService finds or begins the service of a socket.
func (g *Graph) findService(at socket) *service {
	s := g.services[at.service]
	if s == nil {
		s = &service{place: at.place, listeners: make(map[netip.Addr]model.Listener), documents: make(map[model.Name]struct{})}
		s.now.ID = at.service
		g.services[at.service] = s
		g.hosts[at.host].services[at.service] = s
	}
	return s
}

func (g *Graph) setListener(at socket, l model.Listener, e *events) {
	s := g.findService(at)
	if _, known := s.listeners[at.addr]; !known {
		g.own(at.addr, at.place, 1)
		where := g.sockets[at.anyService()]
		if where == nil {
			where = make(map[string]*service)
			g.sockets[at.anyService()] = where
		}
		where[at.service] = s
	}
	s.listeners[at.addr] = l
	before := s.now
	s.now = s.derive()
	g.topology++
	e.service(before, s.now)
	h := g.hosts[s.host]
	g.watchService(h, before, s.now, e.at)
	g.serviceChanged(before, s.now, e)
	if before.State == model.StateEnded {
		h.ended--
	}
	if s.now.State == model.StateEnded {
		h.ended++
		g.boundEnded(h)
	}
}

// derive joins the listeners to what the API shows.
func (s *service) derive() model.Service {
	live := s.current()
	owner, first := live[0], live[0]
	for _, l := range live {
		if newer(l, owner) {
			owner = l
		}
		if l.Since.Before(first.Since) {
			first = l
		}
	}
	v := model.Service{
		ID: s.now.ID, Host: s.host, Proto: owner.Proto, Port: owner.Port,
		Process: owner.Process, Netns: owner.Netns, NetnsName: owner.NetnsName,
		State: owner.State, Since: first.Since.UTC(), SinceApprox: first.SinceApprox,
	}
	for _, l := range live {
		v.Addrs = append(v.Addrs, l.Addr)
		if l.Ended != nil && l.State == model.StateEnded && (v.Ended == nil || l.Ended.After(*v.Ended)) {
			at := l.Ended.UTC()
			v.Ended = &at
		}
	}
	v.Addr = v.Addrs[0]
	return v
}

// current are the listeners that listen, or, when none does, those that were the
// last to. The widest address comes first.
func (s *service) current() []model.Listener {
	var live []model.Listener
	var last time.Time
	for _, l := range s.listeners {
		if l.State == model.StateListening {
			live = append(live, l)
		} else if l.Ended.After(last) {
			last = *l.Ended
		}
	}
	if live == nil {
		for _, l := range s.listeners {
			if last.Sub(*l.Ended) <= endedTogether {
				live = append(live, l)
			}
		}
	}
	slices.SortFunc(live, func(a, b model.Listener) int {
		return cmp.Or(
			cmp.Compare(b2i(b.Addr.IsUnspecified()), b2i(a.Addr.IsUnspecified())),
			a.Addr.Compare(b.Addr))
	})
	return live
}

// newer orders listeners by when they began; which of several begun at once is
// taken does not depend on the order of documents.
func newer(a, b model.Listener) bool {
	return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.PID, b.PID), -a.Addr.Compare(b.Addr)) > 0
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// boundEnded forgets the longest ended services of a host that has too many.
func (g *Graph) boundEnded(h *host) {
	for h.ended > g.limits.EndedPerHost {
		var oldest *service
		for _, s := range h.services {
			if s.now.State == model.StateEnded && (oldest == nil || endedBefore(s, oldest)) {
				oldest = s
			}
		}
		h.ended--
		g.forgotten++
		g.forgetService(oldest)
	}
}

func endedBefore(a, b *service) bool {
	return cmp.Or(a.now.Ended.Compare(*b.now.Ended), strings.Compare(a.now.ID, b.now.ID)) < 0
}

func (g *Graph) forgetService(s *service) {
	g.flaps.Forget(s.now.ID)
	delete(g.services, s.now.ID)
	delete(g.hosts[s.host].services, s.now.ID)
	for addr, l := range s.listeners {
		g.own(addr, s.place, -1)
		at := socket{place: s.place, proto: l.Proto, addr: addr, port: l.Port}
		delete(g.sockets[at], s.now.ID)
		if len(g.sockets[at]) == 0 {
			delete(g.sockets, at)
		}
	}
	for name := range s.documents {
		if g.listening[name].service == s.now.ID {
			delete(g.listening, name)
		}
	}
	g.topology++
}

// service tells what became of a service.
func (e *events) service(before, now model.Service) {
	what := fmt.Sprintf("%s on %s:%d of %s", now.Program(), bracket(now.Addr), now.Port, now.Host)
	switch was, is := before.State == model.StateListening, now.State == model.StateListening; {
	case !was && is && now.SinceApprox:
		e.add(model.EventServiceStarted, now.ID, what+" listens since before the agent started")
	case !was && is:
		e.add(model.EventServiceStarted, now.ID, what+" listens"+pid(now.Process))
	case was && !is:
		e.add(model.EventServiceEnded, now.ID, what+" ended")
	case was && (before.PID != now.PID || before.Exe != now.Exe):
		e.add(model.EventServiceChanged, now.ID, fmt.Sprintf("%s has another process: %s%s", what, now.Exe, pid(now.Process)))
	case was && !slices.Equal(before.Addrs, now.Addrs):
		e.add(model.EventServiceChanged, now.ID, fmt.Sprintf("%s listens on other addresses: %s", what, join(now.Addrs)))
	}
}

func pid(p model.Process) string {
	if p.PID == 0 {
		return ""
	}
	return fmt.Sprintf(" (pid %d)", p.PID)
}

func bracket(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

func join(addrs []netip.Addr) string {
	s := make([]string, len(addrs))
	for i, a := range addrs {
		s[i] = a.String()
	}
	return strings.Join(s, ", ")
}
