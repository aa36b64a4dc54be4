package findings

import (
	"fmt"
	"strings"
	"time"

	"cassini/manager/incidents"
	"cassini/model"
)

// Host is what is known of the host of a service.
type Host struct {
	Known time.Time // since when it reports, by the manager's clock
	Boot  time.Time // of the machine; zero where it is not known
	// Siblings counts services of the same program and protocol that it ever ran.
	Siblings int
}

// roaming is how many ports a program listens on until another one is no news.
const roaming = 3

// ephemeral is where Linux takes ports for clients by default; a UDP socket there is
// hardly ever a service, and looks like one.
const ephemeral = 32768

// Service is told of each change of a service: as it was, and as it is.
func (w *Watch) Service(before, now model.Service, host Host, at time.Time) {
	was, is := before.State == model.StateListening, now.State == model.StateListening
	switch {
	case is && !was:
		w.started(before, now, host, at)
	case was && !is:
		w.ended(before, now, host, at)
	}
}

// watched says whether anybody would miss a service, or wonder at it. Network namespaces
// without a name are containers', whose next life has another.
// Unix-domain sockets come and go with sessions and jobs, packet and raw sockets with
// whoever looks at the network.
func watched(s model.Service) bool {
	return s.Proto != model.ProtoUnix && !model.IsTap(s.Proto) && (s.Proto != "udp" || s.Port < ephemeral) && !strings.HasPrefix(s.NetnsName, "net:[")
}

func (w *Watch) started(before, now model.Service, host Host, at time.Time) {
	w.callOff("gone " + now.ID)
	w.over(model.IncidentServiceGone, now.ID, at)
	fresh := before.State == ""
	if !fresh || !watched(now) || loopback(now) || at.Sub(host.Known) < w.learn || host.Siblings > roaming {
		return
	}
	w.awaitNew(now, host, at.Add(Lasting))
}

// awaitNew finds that a service is new once it has lasted. It is apart from started so that only
// services that are waited for are kept, and take memory.
func (w *Watch) awaitNew(now model.Service, host Host, due time.Time) {
	w.wait("new "+now.ID, due, func(w *Watch, e *entry, _ time.Time) {
		w.find(incidents.Finding{
			Kind: model.IncidentNewListener, Severity: model.SeverityInfo, Subject: now.ID,
			Group: "new-listener " + now.Host, Window: Moving,
			What:   fmt.Sprintf("%s listens since %s: it never did before, and the host is known since %s", title(now), clock(now.Since), clock(host.Known)),
			Action: "If nobody has put it there, look at the process: 'cassini services --host " + now.Host + "'. Otherwise acknowledge it; it is over in an hour.",
		}, e.due, Passing)
	})
}

func (w *Watch) ended(before, now model.Service, host Host, at time.Time) {
	w.callOff("new " + now.ID)
	w.over(model.IncidentNewListener, now.ID, at)
	end := at
	if now.Ended != nil {
		end = *now.Ended
	}
	if !watched(now) || end.Sub(before.Since) < Settled {
		return
	}
	due := at.Add(Grace)
	if now.Proto == "udp" {
		due = at.Add(AskingGrace)
	}
	// After a boot the agent may be there before the service is.
	if booted := host.Boot.Add(BootGrace); booted.After(due) && booted.Before(at.Add(2*BootGrace)) {
		due = booted
	}
	w.wait("gone "+now.ID, due, func(w *Watch, e *entry, at time.Time) { w.gone(e, now, at) })
}

// gone is due when a service did not come back. While its host is down, that tells why.
func (w *Watch) gone(e *entry, s model.Service, at time.Time) {
	switch up := w.up(s.Host); {
	case !up:
		e.held = true
		due := e.due.Add(Grace / 2)
		if late := at.Add(-Grace / 2); late.After(due) {
			due = late // a replay comes to a time far ahead at once
		}
		w.again(e, due)
		return
	case e.held: // it is just back, and so may the service be
		e.held = false
		w.again(e, e.due.Add(BootGrace))
		return
	}
	ended := ""
	if s.Ended != nil {
		ended = " at " + clock(*s.Ended)
	}
	w.find(incidents.Finding{
		Kind: model.IncidentServiceGone, Severity: model.SeverityWarning, Subject: s.ID, Group: "service-gone " + s.Host, Window: Together,
		What:   fmt.Sprintf("%s ended%s and did not come back; it had listened since %s", title(s), ended, clock(s.Since)),
		Action: "Look at the service on " + s.Host + ": its unit, its log. 'cassini deps --up " + s.ID + "' says who needs it.",
	}, e.due, Accepted)
}

func title(s model.Service) string {
	return fmt.Sprintf("%s on port %d/%s of %s", s.Program(), s.Port, s.Proto, s.Host)
}

func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// loopback says that only the host itself reaches a service.
func loopback(s model.Service) bool {
	for _, a := range s.Addrs {
		if !a.IsLoopback() {
			return false
		}
	}
	return len(s.Addrs) > 0
}
