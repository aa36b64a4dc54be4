package findings

import (
	"fmt"
	"time"

	"cassini/manager/identity"
	"cassini/manager/incidents"
	"cassini/model"
)

// How often hosts of one machine-id are compared, and for how long while one of them is
// not heard: a machine that was renamed, or whose disk moved, falls silent under its
// earlier name.
const (
	compareFirst = 2 * time.Minute
	compareNext  = 10 * time.Minute
	compareFor   = 24 * time.Hour
)

// Pair is two hosts that said one machine-id: the one that is known for longer, and the
// other.
type Pair struct{ Original, Clone, Machine string }

// Twins is told when a host says a machine-id that another one has. compare says what they
// are to each other, from what came after a moment.
func (w *Watch) Twins(p Pair, at time.Time, compare func(Pair, time.Time) identity.Twins) {
	key := "twins " + p.Original + " " + p.Clone
	began, since := at, at
	if w.book.Known(model.IncidentHostIdentity, model.HostID(p.Clone)) {
		since = at.Add(-compareFor) // one of the two has just started its agent again
	}
	w.wait(key, at.Add(compareFirst), func(w *Watch, e *entry, _ time.Time) {
		relation := compare(p, since)
		open := relation == identity.MayBe || relation == identity.Renamed // until the other one is heard again
		subject := model.HostID(p.Clone)
		switch {
		case relation == identity.Cloned:
			w.cloned(p, subject, e.due)
			since, began = e.due.Add(-compareFor), e.due // that they are idle does not end it
		case open && w.book.Known(model.IncidentHostIdentity, subject):
			w.over(model.IncidentHostIdentity, subject, e.due) // one of them is gone
			began = e.due
		case open && e.due.Sub(began) < compareFor:
		default:
			w.over(model.IncidentHostIdentity, subject, e.due)
			return
		}
		w.again(e, e.due.Add(compareNext))
	})
}

func (w *Watch) cloned(p Pair, subject string, at time.Time) {
	if w.book.Known(model.IncidentHostIdentity, subject) {
		return
	}
	if i := w.book.Find(incidents.Finding{
		Kind: model.IncidentHostIdentity, Severity: model.SeverityWarning, Subject: subject, Group: "host-cloned " + p.Machine, Window: compareFor,
		What: fmt.Sprintf("%s and %s are two live machines with one machine-id, %s: %s is known for longer, %s is taken for the clone", p.Original, p.Clone, p.Machine, p.Original, p.Clone),
		Action: "On " + p.Clone + ": stop its agent, remove agent.pem, rings.json and outbox.db from its data directory, 'rm /etc/machine-id && systemd-machine-id-setup', boot it, and let it join again. " +
			"Then have the image made without a machine-id. 'cassini identity' shows both.",
	}, at); i != nil {
		w.told = append(w.told, i)
	}
}
