package findings

import (
	"slices"
	"time"

	"cassini/manager/incidents"
	"cassini/model"
)

// Refused is told which machines are refused under the name of a host, and which were before.
// They are one incident, until there are none.
func (w *Watch) Refused(before, now model.Refused, at time.Time) {
	subject := model.HostID(now.Host)
	if len(now.Machines) == 0 {
		delete(w.refused, subject)
		w.over(model.IncidentHostIdentity, subject, at)
		return
	}
	w.refused[subject] = true
	for _, m := range now.Machines {
		if slices.ContainsFunc(before.Machines, m.Equal) {
			continue
		}
		f := showsAnothers(now.Host, m)
		if i := w.book.Again(f.Kind, f.Subject, f.What, at); i != nil {
			w.told = append(w.told, i)
		} else {
			w.foundOnce(f, at)
		}
	}
}

func showsAnothers(host string, m model.Claimant) incidents.Finding {
	return incidents.Finding{
		Kind: model.IncidentHostIdentity, Severity: model.SeverityWarning, Subject: model.HostID(host), Group: "host-refused " + host,
		What: "another machine shows the certificate of " + host + ", is refused and not watched: " + m.String(),
		Action: "At the authority that gave " + host + " its certificate, give that machine one of its own, with a name of its own. " +
			"On it: stop its agent, remove its data directory, 'hostnamectl set-hostname NAME', put the certificate in place, and start its agent again. " +
			"If it is to take the place of " + host + ", such as a moved disk, stop the agent of the other one and have it forgotten: 'cassini hosts forget " + host + "'. " +
			"Then have the image made without certificate, key and the agent's data directory.",
	}
}

// parted ends that a host is the clone of another one, unless machines are refused under its name.
func (w *Watch) parted(f incidents.Finding, at time.Time) {
	if !w.refused[f.Subject] {
		w.over(f.Kind, f.Subject, at)
	}
}
