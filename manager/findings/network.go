package findings

import (
	"time"

	"cassini/manager/incidents"
	"cassini/model"
)

// Duplicate is told when two machines are seen to claim an address, each time.
func (w *Watch) Duplicate(addr, what string, at time.Time) {
	subject := model.KindIP + ":" + addr
	w.find(incidents.Finding{
		Kind: model.IncidentAddress, Severity: model.SeverityWarning, Subject: subject, What: what,
		Action: "Find both machines ('cassini find " + addr + "', 'cassini strangers') and give one another address. It is over when it was not seen for 15 minutes.",
	}, at, Calm)
}

// Claimed is told when another machine is seen at the address of a known host. That may be the
// host itself, whose card was changed and whose agent did not say so yet. So it is looked at again
// after a while: whether that still holds, and whether the host is live, since of another one
// nobody can tell. One that comes back within a week has as long to say what it has.
func (w *Watch) Claimed(addr, what string, at time.Time, look func(since time.Time) (holds, live bool)) {
	away := false
	w.wait("claimed "+addr, at.Add(Lasting), func(w *Watch, e *entry, _ time.Time) {
		switch holds, live := look(at); {
		case !holds || e.due.Sub(at) > Accepted:
		case live && !away:
			w.Duplicate(addr, what, e.due)
		default:
			away = !live
			w.again(e, e.due.Add(Lasting))
		}
	})
}

// Moved is told when a cable of an interface ends in another port than before. from is
// the device where it was.
func (w *Watch) Moved(iface, from, what string, at time.Time) {
	w.over(model.IncidentPortMoved, iface, at)
	w.find(incidents.Finding{
		Kind: model.IncidentPortMoved, Severity: model.SeverityInfo, Subject: iface, Group: "port-moved " + from, Window: Moving, What: what,
		Action: "If nobody has moved the cable, look at it; VLANs and speed of the new port may differ: 'cassini ports'. It is over in an hour.",
	}, at, Passing)
}
