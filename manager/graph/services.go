package graph

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"cassini/manager/moment"
	"cassini/model"
)

// service is one program, protocol and port in one place, with every address it
// listens on or listened on.
type service struct {
	*place
	id        string
	proto     string
	port      uint16
	state     string // of model.Listener; "" before it has a listener
	since     moment.Moment
	ended     moment.Moment // zero while it listens
	listeners []listening   // one for each address
}

// endedTogether is how far apart the listeners of one service end when it stops.
const endedTogether = 10 * time.Second

func (g *Graph) applyListener(doc *Decoded, e *events) bool {
	h := g.hosts[doc.Host]
	at := slices.IndexFunc(h.described, func(d described) bool { return d.key == doc.Key })
	if doc.Gone() {
		if at >= 0 {
			before := h.described[at]
			h.described = remove(h.described, before)
			if l := before.listener(); l != nil && !l.listens {
				g.forgetListener(before)
			} else {
				g.endListener(before, doc.Time, e)
			}
		}
		return true
	}
	l, ok := doc.body.(*model.Listener)
	if !ok || !placeListener(l) || l.Proto == "" || l.State != model.StateListening && l.State != model.StateEnded {
		return false
	}
	if l.State == model.StateEnded && l.Ended == nil {
		l.Ended = &doc.Time
	}
	id := l.ServiceID(doc.Host)
	if at >= 0 && (h.described[at].service.id != id || h.described[at].addr != l.Addr || h.described[at].on != l.On()) {
		before := h.described[at]
		h.described = remove(h.described, before)
		g.endListener(before, doc.Time, e) // another program has taken the address
		at = -1
	}
	s := g.findService(id, doc.Host, l)
	if at < 0 {
		h.described = append(h.described, described{doc.Key, s, l.Addr, l.On()})
	}
	fresh := listening{
		addr: l.Addr, program: g.programs.hold(&l.Process), pid: l.PID, since: moment.Of(l.Since), netns: l.Netns,
		listens: l.State == model.StateListening, dualStack: l.DualStack, approx: l.SinceApprox,
	}
	fresh.charged = chargedOf(l.AcceptsChargedTo)
	if model.IsTap(l.Proto) || len(l.Interfaces) > 0 || len(l.Workers) > 0 || l.AcceptedBefore > 0 {
		fresh.more = &more{l.Tap, l.Accepts, l.On()}
	}
	if !fresh.listens {
		fresh.ended = moment.Of(*l.Ended)
	}
	g.setListener(s, fresh, e)
	return true
}

// endListener ends what an earlier document described.
func (g *Graph) endListener(at described, when time.Time, e *events) {
	if l := at.listener(); l != nil && l.listens {
		ended := *l
		ended.program.refs++
		ended.listens, ended.ended = false, moment.Of(when)
		g.setListener(at.service, ended, e)
	}
}

// findService finds or begins the service of a listener.
func (g *Graph) findService(id, host string, l *model.Listener) *service {
	s := g.services.named(id)
	if s == nil {
		s = &service{place: g.holdPlace(host, l.NetnsName), id: id, proto: l.Proto, port: l.Port}
		if s.proto == "tcp" {
			s.proto = "tcp" // one text
		}
		g.services.keep(s)
		i, _ := slices.BinarySearchFunc(s.services, s, compareServices)
		s.services = slices.Insert(s.services, i, s)
	}
	return s
}

// setListener takes what is known now of one address of a service, which holds its program.
func (g *Graph) setListener(s *service, l listening, e *events) {
	before, face := s.now(), s.face()
	known := (&described{service: s, addr: l.addr, on: l.on()}).listener()
	l.live(known)
	if known != nil {
		g.programs.drop(known.program)
		*known = l
	} else {
		g.own(l.addr, s.place, 1)
		s.listeners = append(s.listeners, l)
	}
	s.derive()
	now := s.now()
	g.touchService(s, face != s.face())
	e.service(before, now)
	h := g.hosts[s.host]
	g.watchService(h, before, now, e.at)
	g.serviceChanged(before, now, e)
	g.listening += b2i(now.State == model.StateListening) - b2i(before.State == model.StateListening)
	if before.State == model.StateEnded {
		h.ended--
	}
	if now.State == model.StateEnded {
		h.ended++
		g.boundEnded(h)
	}
}

// derive sums up the listeners.
func (s *service) derive() {
	live := s.current()
	s.state, s.since, s.ended = model.StateEnded, live[0].since, 0
	for _, l := range live {
		s.since = min(s.since, l.since)
		if l.listens {
			s.state = model.StateListening
		} else {
			s.ended = max(s.ended, l.ended)
		}
	}
}

// owner is the listener whose process is the service's: the newest.
func (s *service) owner() *listening {
	if len(s.listeners) == 1 {
		return &s.listeners[0]
	}
	live := s.current()
	owner := live[0]
	for _, l := range live {
		if newer(l, owner) {
			owner = l
		}
	}
	return owner
}

// now is what the API shows.
func (s *service) now() model.Service {
	v := model.Service{ID: s.id, Host: s.host, Proto: s.proto, Port: s.port, NetnsName: s.netns, State: s.state, Since: s.since.Time()}
	if len(s.listeners) == 0 {
		return model.Service{ID: s.id}
	}
	live := s.current()
	owner, first := live[0], live[0]
	for _, l := range live {
		if !slices.Contains(v.Addrs, l.addr) { // else on another interface
			v.Addrs = append(v.Addrs, l.addr)
		}
		if s.proto == model.ProtoUnix {
			v.UnixName, v.NetnsName = unixName(l.addr, s.netns)
		}
		if newer(l, owner) {
			owner = l
		}
		if l.since.Before(first.since) {
			first = l
		}
	}
	v.Process, v.Netns, v.SinceApprox, v.Addr = owner.program.as(owner.pid), owner.netns, first.approx, v.Addrs[0]
	if s.proto == model.ProtoUnix || model.IsTap(s.proto) {
		v.Addrs, v.Addr, v.Port = []netip.Addr{}, netip.Addr{}, 0
	}
	if model.IsTap(s.proto) && owner.more != nil {
		v.Tap = owner.more.tap
	} else {
		v.Interfaces = boundTo(live)
	}
	v.Accepts = acceptedBy(owner, live)
	if s.state == model.StateEnded {
		at := s.ended.Time()
		v.Ended = &at
	}
	return v
}

// program is the short name of what runs as the service.
func (s *service) program() string { return s.owner().program.Program() }

// addrs are the addresses that it listens on, or last did, the widest first.
func (s *service) addrs() (list []netip.Addr) {
	for _, l := range s.current() {
		list = append(list, l.addr)
	}
	return list
}

// current are the listeners that listen, or, when none does, those that were the
// last to. The widest address comes first.
func (s *service) current() []*listening {
	live := make([]*listening, 0, 4)
	var last moment.Moment
	for i := range s.listeners {
		if l := &s.listeners[i]; l.listens {
			live = append(live, l)
		} else {
			last = max(last, l.ended)
		}
	}
	if len(live) == 0 {
		for i := range s.listeners {
			if l := &s.listeners[i]; last.Sub(l.ended) <= endedTogether {
				live = append(live, l)
			}
		}
	}
	if len(live) > 1 {
		slices.SortFunc(live, func(a, b *listening) int {
			return cmp.Or(
				cmp.Compare(b2i(b.addr.IsUnspecified()), b2i(a.addr.IsUnspecified())),
				a.addr.Compare(b.addr), strings.Compare(a.on(), b.on()))
		})
	}
	return live
}

// face is what others can tell apart of a service: what decides whether it is what they
// dial.
func (s *service) face() string {
	var room [256]byte
	b := append(room[:0], s.state...)
	b = binary.LittleEndian.AppendUint64(b, uint64(s.since))
	b = binary.LittleEndian.AppendUint64(b, uint64(s.ended))
	for _, l := range s.listeners {
		b = l.addr.AppendTo(b)
		b = append(b, byte(b2i(l.listens)), byte(b2i(l.dualStack)))
	}
	return string(b)
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
		for s := range h.services() {
			if s.state == model.StateEnded && (oldest == nil || endedBefore(s, oldest)) {
				oldest = s
			}
		}
		g.forgotten++
		for _, d := range h.described {
			if d.service == oldest {
				g.spent.note(model.Name{Host: h.name, Package: model.PackageListeners, Key: d.key})
			}
		}
		g.forgetService(oldest)
	}
}

func endedBefore(a, b *service) bool {
	return cmp.Or(cmp.Compare(a.ended, b.ended), strings.Compare(a.id, b.id)) < 0
}

// forgetService forgets a service with all that it listened on.
func (g *Graph) forgetService(s *service) {
	g.flaps.Forget(s.id)
	g.services.forget(s)
	g.listening -= b2i(s.state == model.StateListening)
	g.touchService(s, true)
	h := g.hosts[s.host]
	h.ended -= b2i(s.state == model.StateEnded)
	h.described = slices.DeleteFunc(h.described, func(d described) bool { return d.service == s })
	i, _ := slices.BinarySearchFunc(s.services, s, compareServices)
	s.services = slices.Delete(s.services, i, i+1)
	for i := range s.listeners {
		g.letGo(s, &s.listeners[i])
	}
	g.dropPlace(s.place)
}

// letGo lets go of what one address of a service holds.
func (g *Graph) letGo(s *service, l *listening) {
	g.programs.drop(l.program)
	g.own(l.addr, s.place, -1)
}

// service tells what became of a service.
func (e *events) service(before, now model.Service) {
	what := now.Program() + " on " + standsAt(now) + " of " + now.Host
	switch was, is := before.State == model.StateListening, now.State == model.StateListening; {
	case !was && is && now.SinceApprox:
		e.add(model.EventServiceStarted, now.ID, what+" listens since before the agent started")
	case !was && is:
		e.add(model.EventServiceStarted, now.ID, what+" listens"+pid(now.Process))
	case was && !is:
		e.add(model.EventServiceEnded, now.ID, what+" ended")
	case was && (before.PID != now.PID || before.Exe != now.Exe):
		e.add(model.EventServiceChanged, now.ID, fmt.Sprintf("%s has another process: %s%s", what, now.Exe, pid(now.Process)))
	case was && model.IsTap(now.Proto):
		if before.Promiscuous != now.Promiscuous || !slices.Equal(before.Interfaces, now.Interfaces) {
			e.add(model.EventServiceChanged, now.ID, what+" hears "+hearsOn(now.Tap))
		}
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

func join(addrs []netip.Addr) string {
	s := make([]string, len(addrs))
	for i, a := range addrs {
		s[i] = a.String()
	}
	return strings.Join(s, ", ")
}
