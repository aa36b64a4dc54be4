package findings

import (
	"fmt"
	"time"

	"cassini/manager/incidents"
	"cassini/model"
)

// Namesakes is told when a host says who it is whose host name another machine had first: the
// original. both says whether the two are live, from what came after a moment.
func (w *Watch) Namesakes(p Pair, at time.Time, both func(Pair, time.Time) bool) {
	began, since, subject := at, at, model.HostID(p.Clone)
	if w.book.Known(model.IncidentHostName, subject) {
		since = at.Add(-compareFor) // it has just started its agent again
	}
	w.wait("namesakes "+p.Clone, at.Add(compareFirst), func(w *Watch, e *entry, _ time.Time) {
		switch {
		case both(p, since):
			w.sharesName(p, subject, e.due)
			since, began = e.due.Add(-compareFor), e.due // that they are idle does not end it
		case w.book.Known(model.IncidentHostName, subject):
			w.over(model.IncidentHostName, subject, e.due)
			began = e.due
		case e.due.Sub(began) >= compareFor:
			return
		}
		w.again(e, e.due.Add(compareNext))
	})
}

func (w *Watch) sharesName(p Pair, subject string, at time.Time) {
	if w.book.Known(model.IncidentHostName, subject) {
		return
	}
	if i := w.book.Find(incidents.Finding{
		Kind: model.IncidentHostName, Severity: model.SeverityInfo, Subject: subject, Group: "host-name-shared " + p.Original, Window: compareFor,
		What: fmt.Sprintf("%s and %s are two live machines of one host name, %s: %s had it first and keeps it, the other one is called %s", p.Original, p.Clone, p.Original, p.Original, p.Clone),
		Action: "Give " + p.Clone + " a name of its own: on it 'hostnamectl set-hostname NAME', and 'cassini join' where it joined by a token, and start its agent again. " +
			"If it replaces " + p.Original + ", let it join by a token that is made with --host " + p.Original + ". 'cassini identity' shows both.",
	}, at); i != nil {
		w.told = append(w.told, i)
	}
}
