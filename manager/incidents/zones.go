package incidents

import (
	"cmp"
	"slices"
	"time"

	"cassini/model"
)

// segment is the loss of a zone: deaths in it that were told just before are part of it,
// and losses of several zones at one time are a partition.
func (b *Book) segment(v model.Verdict, at time.Time) *model.Incident {
	zone := v.Subject.Host
	b.zones[zone] = zone
	for _, o := range v.Evidence.Observations {
		b.zones[o.Observer], b.states[o.Observer] = zone, Status{model.VerdictSegment, at}
	}
	for n := len(b.list) - 1; n >= 0; n-- {
		i := b.list[n]
		if at.Sub(i.Opened) > Window {
			break
		}
		if i.State == model.IncidentOpen && (i.Kind == model.VerdictSegment || i.Kind == model.VerdictPartition) {
			i.Kind, i.Zone, i.Severity = model.VerdictPartition, "", severity(model.VerdictPartition)
			enlist(i, zone)
			b.open[zone] = i
			b.add(i, v)
			b.merge(zone, i, at)
			return i
		}
	}
	i := b.begin(v, at)
	b.merge(zone, i, at)
	return i
}

// zoneFound ends what was said of the hosts of a zone because it was lost.
func (b *Book) zoneFound(zone string) {
	for host, s := range b.states {
		if s.Kind == model.VerdictSegment && b.zones[host] == zone {
			delete(b.states, host)
		}
	}
}

// merge makes open incidents about hosts of a zone part of a larger one.
func (b *Book) merge(zone string, into *model.Incident, at time.Time) {
	for _, i := range b.list {
		if i == into || i.State != model.IncidentOpen || i.Zone != zone || at.Sub(i.Opened) > Window {
			continue
		}
		i.State, i.Closed, i.Changed, i.Into = model.IncidentMerged, at, at, into.ID
		for _, host := range i.Subjects {
			if b.open[host] == i {
				delete(b.open, host)
			}
		}
	}
}

// loss is that of the zone of a host, if it lasts or is just over.
func (b *Book) loss(host string, at time.Time) *model.Incident {
	zone := b.zones[host]
	i := cmp.Or(b.open[zone], b.back(zone, at))
	if i == nil || i.Kind != model.VerdictSegment && i.Kind != model.VerdictPartition {
		return nil
	}
	return i
}

// acrossCut is the loss of the reporter's zone, where a report says that a host of another zone is
// silent: seen from the other side of the cut all are. Such reports come when the zone is back. One of a
// crash may be the only one that tells of it.
func (b *Book) acrossCut(v model.Verdict, at time.Time) *model.Incident {
	if v.Kind != model.VerdictUnobservable || b.zones[v.Subject.Host] == b.zones[v.ID.Reporter] {
		return nil
	}
	i := b.loss(v.ID.Reporter, at)
	if i != nil && i.State == model.IncidentClosed && v.At.After(i.Closed) {
		return nil // it saw that later
	}
	return i
}

// managerAway: a host could not reach the manager for a while, which is over. Of one whose zone was
// lost that is known.
func (b *Book) managerAway(v model.Verdict, at time.Time) *model.Incident {
	reporter := v.ID.Reporter
	if i := b.loss(reporter, at); i != nil {
		b.add(i, v)
		return nil
	}
	for n := len(b.list) - 1; n >= max(0, len(b.list)-lookBack); n-- {
		i := b.list[n]
		if i.Kind == model.VerdictManager && at.Sub(i.Closed) <= Window {
			if !slices.Contains(i.Subjects, reporter) {
				i.Subjects, i.Back = append(i.Subjects, reporter), append(i.Back, reporter)
			}
			i.Closed = at
			b.add(i, v)
			return i
		}
	}
	v.Subject.Host = reporter
	i := b.begin(v, at)
	b.leave(i, reporter)
	i.State, i.Closed, i.Opened = model.IncidentClosed, at, at.Add(-v.Evidence.Silent)
	summarize(i)
	return i
}

// reunited: a host says itself that it was cut off for a while. What was said of it
// meanwhile was wrong.
func (b *Book) reunited(v model.Verdict, at time.Time) *model.Incident {
	host := v.Subject.Host
	delete(b.states, host)
	if i := b.open[host]; i != nil {
		b.add(i, v)
		b.leave(i, host)
		if len(i.Subjects) == 1 && i.Kind != model.VerdictDeaf {
			i.Kind, i.Severity = model.VerdictLink, severity(model.VerdictLink)
		}
		if b.over(i) {
			i.State, i.Closed = model.IncidentClosed, at
		}
		summarize(i)
		return i
	}
	if zone := b.open[b.zones[host]]; zone != nil {
		b.add(zone, v)
		return nil
	}
	if i := cmp.Or(b.back(b.zones[host], at), b.back(host, at)); i != nil {
		b.add(i, v) // its zone was lost or it was, and others have just told that it is back
		return nil
	}
	if i := b.alsoReunited(host, at); i != nil {
		// Others of its zone were cut off at the same time: it was the zone.
		i.Closed = at
		if !slices.Contains(i.Subjects, host) {
			i.Kind, i.Severity = model.VerdictSegment, severity(model.VerdictSegment)
			i.Subjects, i.Back = append(i.Subjects, host), append(i.Back, host)
		}
		b.add(i, v)
		return i
	}
	i := b.begin(v, at)
	b.leave(i, host)
	i.State, i.Closed = model.IncidentClosed, at
	i.Opened = at.Add(-v.Evidence.Silent)
	summarize(i)
	return i
}

// lookBack is how many incidents are looked through for one that a report may belong to.
const lookBack = 256

// back is the incident of a zone or host that was lost and has just come back. What was found
// of a host, or that it did not reach the manager, is another thing.
func (b *Book) back(subject string, at time.Time) *model.Incident {
	for n := len(b.list) - 1; n >= max(0, len(b.list)-lookBack) && subject != ""; n-- {
		i := b.list[n]
		if !slices.Contains(i.Subjects, subject) || i.Kind == model.VerdictManager || len(i.Evidence) > 0 {
			continue
		}
		if i.State == model.IncidentClosed && at.Sub(i.Closed) <= Window {
			return i
		}
	}
	return nil
}

// alsoReunited is an incident of hosts of the same zone who just said the same.
func (b *Book) alsoReunited(host string, at time.Time) *model.Incident {
	zone := b.zones[host]
	for n := len(b.list) - 1; n >= max(0, len(b.list)-lookBack) && zone != ""; n-- {
		i := b.list[n]
		if i.Zone == zone && i.State == model.IncidentClosed && at.Sub(i.Closed) <= Window && i.Reports[0].Evidence.Clue == "reunited" {
			return i
		}
	}
	return nil
}
