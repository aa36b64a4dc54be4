package graph

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"cassini/manager/moment"
	"cassini/model"
)

// listening is what the newest document tells of one address that a service listens on, or
// listened on.
type listening struct {
	addr         netip.Addr
	program      *program
	pid          int
	since, ended moment.Moment
	netns        uint32
	listens      bool
	dualStack    bool
	approx       bool // since is
	charged      charged
	// births and deaths are those that documents told; it may have lived before.
	births, deaths uint32
	more           *more // what few have; never changed
}

// more is what few listeners have.
type more struct {
	tap     model.Tap     // of packet and raw sockets; interfaces of others
	accepts model.Accepts // of TCP's with several processes
	on      string        // of model.Listener
}

// described is what the newest document of a name, by its key, tells of.
type described struct {
	key     string
	service *service
	addr    netip.Addr
	on      string
}

// is says whether a listener is the one.
func (d *described) is(l *listening) bool { return l.addr == d.addr && l.on() == d.on }

// listener is the one that was described, or nil.
func (d *described) listener() *listening {
	for i := range d.service.listeners {
		if l := &d.service.listeners[i]; d.is(l) {
			return l
		}
	}
	return nil
}

// on is the interface that a listener is bound to; "" for every one.
func (l *listening) on() string {
	if l.more == nil {
		return ""
	}
	return l.more.on
}

// live counts a birth or a death since before, which is nil of what was not known. Who is
// found at work was born unseen, unless it was known to have ended.
func (l *listening) live(before *listening) {
	was := before != nil && before.listens
	if before != nil {
		l.births, l.deaths = before.births, before.deaths
	}
	another := was && l.listens && before.pid != l.pid && before.since.Before(l.since)
	if another || was && !l.listens {
		l.deaths++
	}
	if another || !was && l.listens && (!l.approx || before != nil) {
		l.births++
	}
}

// boundTo are the interfaces that listeners are bound to; none where one of them hears every one.
func boundTo(live []*listening) (on []string) {
	for _, l := range live {
		if l.on() == "" {
			return nil
		}
		if !slices.Contains(on, l.on()) {
			on = append(on, l.on())
		}
	}
	slices.Sort(on)
	return on[:min(len(on), model.MaxTapInterfaces)]
}

// newer orders listeners by when they began; which of several begun at once is
// taken does not depend on the order of documents.
func newer(a, b *listening) bool {
	return cmp.Or(cmp.Compare(a.since, b.since), cmp.Compare(a.pid, b.pid), -a.addr.Compare(b.addr), strings.Compare(b.on(), a.on())) > 0
}
