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

// copyFirst is how long after a machine got a name of its own, since it came with a copy of
// another one's data directory, the two are compared: it has to get onto a ring.
const copyFirst = 30 * time.Second

// Pair is two hosts that said one machine-id: the one that is known for longer, and the
// other.
type Pair struct {
	Original, Clone, Machine string
	// Copy says that the clone has a copy of the data directory of the original.
	Copy bool
}

// Twins is told when a host says a machine-id that another one has. compare says what they
// are to each other, from what came after a moment.
func (w *Watch) Twins(p Pair, at time.Time, compare func(Pair, time.Time) identity.Twins) {
	pace := [2]time.Duration{compareFirst, compareNext}
	if p.Copy {
		pace = [2]time.Duration{copyFirst, compareFirst}
	}
	w.meet("twins "+p.Original+" "+p.Clone, cloned(p), at, pace, func(since time.Time) standing {
		switch compare(p, since) {
		case identity.Cloned:
			return bothLive
		case identity.MayBe, identity.Renamed: // until the other one is heard again
			return oneSilent
		case identity.Strangers, identity.OneKernel, identity.Namesake:
		}
		return apart
	})
}

func cloned(p Pair) incidents.Finding {
	if p.Copy {
		return copied(p)
	}
	return incidents.Finding{
		Kind: model.IncidentHostIdentity, Severity: model.SeverityWarning, Subject: model.HostID(p.Clone), Group: "host-cloned " + p.Machine, Window: compareFor,
		What: fmt.Sprintf("%s and %s are two live machines with one machine-id, %s: %s is known for longer, %s is taken for the clone", p.Original, p.Clone, p.Machine, p.Original, p.Clone),
		Action: "On " + p.Clone + ": stop its agent, remove its data directory, 'rm /etc/machine-id && systemd-machine-id-setup', boot it, and let it join again. " +
			"Then have the image made without a machine-id. 'cassini identity' shows both.",
	}
}

// copied is what there is to tell of a clone that came with the agent's data directory.
func copied(p Pair) incidents.Finding {
	return incidents.Finding{
		Kind: model.IncidentHostIdentity, Severity: model.SeverityWarning, Subject: model.HostID(p.Clone), Group: "host-copied " + p.Original, Window: compareFor,
		What: fmt.Sprintf("%s and %s are two live machines, and %s was made with a copy of the agent's data directory of %s: that one keeps its name and its history, the copy is called %s", p.Original, p.Clone, p.Clone, p.Original, p.Clone),
		Action: "On " + p.Clone + ": stop its agent, remove its data directory, 'rm /etc/machine-id && systemd-machine-id-setup', 'hostnamectl set-hostname NAME', and let it join again. " +
			"If it replaces " + p.Original + ", such as a restored backup or a moved disk, let it join by a token that is made with --host " + p.Original + " instead. " +
			"Then have the image made without the agent's data directory. 'cassini identity' shows both.",
	}
}

// Namesakes is told when a host says who it is whose host name another machine had first: the
// original. both says whether the two are live, from what came after a moment.
func (w *Watch) Namesakes(p Pair, at time.Time, both func(Pair, time.Time) bool) {
	w.meet("namesakes "+p.Clone, sharesName(p), at, [2]time.Duration{compareFirst, compareNext}, func(since time.Time) standing {
		if both(p, since) {
			return bothLive
		}
		return oneSilent
	})
}

func sharesName(p Pair) incidents.Finding {
	return incidents.Finding{
		Kind: model.IncidentHostName, Severity: model.SeverityInfo, Subject: model.HostID(p.Clone), Group: "host-name-shared " + p.Original, Window: compareFor,
		What: fmt.Sprintf("%s and %s are two live machines of one host name, %s: %s had it first and keeps it, the other one is called %s", p.Original, p.Clone, p.Original, p.Original, p.Clone),
		Action: "Give " + p.Clone + " a name of its own: on it 'hostnamectl set-hostname NAME', and 'cassini join' where it joined by a token, and start its agent again. " +
			"If it replaces " + p.Original + ", let it join by a token that is made with --host " + p.Original + ". 'cassini identity' shows both.",
	}
}

// standing is what is known of a pair at a moment.
type standing int

// Standings of a pair.
const (
	apart     standing = iota // they have nothing to do with each other, or are meant to be two
	oneSilent                 // one of them is not heard, and may be the other
	bothLive                  // they are two, which is an incident
)

// meet looks at a pair time and again, until it is apart or one of them was silent for long.
// pace is when it looks first, and how often then.
func (w *Watch) meet(key string, f incidents.Finding, at time.Time, pace [2]time.Duration, look func(since time.Time) standing) {
	began, since := at, at
	if w.book.Known(f.Kind, f.Subject) {
		since = at.Add(-compareFor) // one of the two has just started its agent again
	}
	w.wait(key, at.Add(pace[0]), func(w *Watch, e *entry, _ time.Time) {
		switch stands := look(since); {
		case stands == bothLive:
			w.foundOnce(f, e.due)
			since, began = e.due.Add(-compareFor), e.due // that they are idle does not end it
		case stands == oneSilent && w.book.Known(f.Kind, f.Subject):
			w.parted(f, e.due)
			began = e.due
		case stands == oneSilent && e.due.Sub(began) < compareFor:
		default:
			w.parted(f, e.due)
			return
		}
		w.again(e, e.due.Add(pace[1]))
	})
}

// foundOnce adds a finding that lasts until it is over, unless it is known.
func (w *Watch) foundOnce(f incidents.Finding, at time.Time) {
	if w.book.Known(f.Kind, f.Subject) {
		return
	}
	if i := w.book.Find(f, at); i != nil {
		w.told = append(w.told, i)
	}
}
