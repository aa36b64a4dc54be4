// Package incidents makes incidents of verdicts, and of what documents tell otherwise:
// reports of one death fold into one, deaths of one cause into one, and what later
// evidence contradicts is marked so. It is pure and deterministic: the same verdicts in the same order make the same incidents,
// so that they are replayed from the document log.
package incidents

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"cassini/manager/recent"
	"cassini/model"
)

// Window in which deaths of one zone are one incident.
const Window = 15 * time.Second

// Limits.
const (
	DefaultLimit = 10_000 // incidents; the oldest that are closed go first
	maxReports   = 32     // of one incident
	maxEarly     = 10_000 // reports that were corrected before they came; the oldest go first
)

// Book holds the incidents. It is not safe for concurrent use; the zero value is empty.
type Book struct {
	Limit int // 0 is DefaultLimit

	list   []*model.Incident
	open   map[string]*model.Incident // by subject: host or zone
	seen   map[model.ReportID]*model.Incident
	zones  map[string]string          // of hosts, as reports say
	states map[string]Status          // of hosts that are not up
	groups map[string]*model.Incident // of findings, the newest of each
	traces map[*model.Incident]traces // of all in the list
	early  recent.Set[model.ReportID] // what was corrected before it came
}

// traces lead from an incident to where it is kept by other keys than its subjects, so that
// forgetting one walks through no others.
type traces struct {
	reports []model.ReportID
	group   string
	again   int // how often its findings came once more
}

// Status is what a host is, and since when.
type Status struct {
	Kind  model.VerdictKind
	Since time.Time
}

func (b *Book) init() {
	if b.open == nil {
		b.open, b.seen = make(map[string]*model.Incident), make(map[model.ReportID]*model.Incident)
		b.zones, b.states = make(map[string]string), make(map[string]Status)
		b.groups, b.traces = make(map[string]*model.Incident), make(map[*model.Incident]traces)
		b.Limit, b.early.Limit = cmp.Or(b.Limit, DefaultLimit), maxEarly
	}
}

// Apply takes a verdict that came at a time. It returns the incident that it began or
// ended, or nil.
func (b *Book) Apply(v model.Verdict, at time.Time) *model.Incident {
	b.init()
	if b.seen[v.ID] != nil || b.early.Has(v.ID) || v.Subject.Host == "" {
		return nil
	}
	if v.Subject.Zone != "" {
		b.zones[v.Subject.Host] = v.Subject.Zone
	}
	i := b.apply(v, at)
	if i != nil {
		i.Changed = at
	}
	return i
}

func (b *Book) apply(v model.Verdict, at time.Time) *model.Incident {
	switch {
	case v.Kind == model.VerdictDeaf && v.ID.Reporter != model.ManagerHost:
		return nil // nobody else can tell
	case v.Kind == model.VerdictCorrected:
		return b.correct(v, at)
	case v.Kind == model.VerdictSegment:
		return b.segment(v, at)
	case v.Kind == model.VerdictManager:
		return b.managerAway(v, at)
	case v.Evidence.Clue == "reunited" && v.ID.Reporter == v.Subject.Host:
		return b.reunited(v, at)
	}
	return b.verdict(v, at)
}

// verdict is about one host.
func (b *Book) verdict(v model.Verdict, at time.Time) *model.Incident {
	host := v.Subject.Host
	if zone := b.open[b.zones[host]]; zone != nil && (zone.Kind == model.VerdictSegment || zone.Kind == model.VerdictPartition) {
		b.add(zone, v) // all of its zone is lost: nothing new
		return nil
	}
	if i := b.acrossCut(v, at); i != nil {
		b.add(i, v)
		return nil
	}
	if i := b.open[host]; i != nil && v.Kind == model.VerdictDeaf && i.Kind != v.Kind && len(i.Subjects) > 1 {
		b.part(i, host, at) // the others are what they were taken for
	}
	if i := b.open[host]; i != nil {
		b.add(i, v)
		switch was := b.states[host].Kind; {
		case was == v.Kind:
			return nil
		case v.Kind == model.VerdictDeaf: // whatever it was taken for
		case rank(v.Kind) < rank(was):
			return nil
		case was == model.VerdictDeaf && v.ID.Reporter != model.ManagerHost:
			return nil // of a deaf host nobody else can tell anything
		}
		i = b.becomes(i, v, at)
		b.takes(host, i, v, at)
		return i
	}
	b.states[host] = Status{v.Kind, at}
	i := b.sameCause(v, at)
	if i != nil {
		b.join(i, v)
	} else {
		i = b.begin(v, at)
	}
	b.takes(host, i, v, at)
	return i
}

// takes makes what was found of a host part of its death, if that is what an incident is.
func (b *Book) takes(host string, i *model.Incident, v model.Verdict, at time.Time) {
	if i != nil && v.Kind.Death() && v.Kind != model.VerdictEnded && v.Kind != model.VerdictStopped {
		b.absorb(host, i, at)
	}
}

// part ends what an incident is about one of its subjects, which another one may be about.
func (b *Book) part(i *model.Incident, host string, at time.Time) {
	b.leave(i, host)
	i.Changed = at
	if b.over(i) {
		i.State, i.Closed = model.IncidentClosed, at
	}
	summarize(i)
}

// becomes changes what an incident is, if it is about one host alone. Where others of its zone have
// just become the same it is one with theirs; where it is about others too, these stay what they are,
// and the host has another incident.
func (b *Book) becomes(i *model.Incident, v model.Verdict, at time.Time) *model.Incident {
	host := v.Subject.Host
	b.states[host] = Status{v.Kind, at}
	if i.Kind == v.Kind {
		return nil
	}
	into := b.sameCause(v, at)
	switch {
	case into != nil:
		b.join(into, v)
	case len(i.Subjects) > 1:
		into = b.begin(v, at)
	default:
		if grave(severity(v.Kind)) > grave(i.Severity) {
			i.Worsened = at
		}
		i.Kind, i.Severity = v.Kind, severity(v.Kind)
		summarize(i)
		return i
	}
	b.leave(i, host)
	if i.Changed = at; b.over(i) {
		i.State, i.Closed, i.Into = model.IncidentMerged, at, into.ID
	}
	return into
}

// join makes the subject of a verdict part of an incident.
func (b *Book) join(i *model.Incident, v model.Verdict) {
	enlist(i, v.Subject.Host)
	b.open[v.Subject.Host] = i
	b.add(i, v)
}

// rank orders kinds: a report of no smaller one changes what an incident is.
func rank(k model.VerdictKind) int {
	if k == model.VerdictLink || k == model.VerdictDeaf {
		k = model.VerdictUnobservable // whichever comes last: others hear the host now, or nobody does
	}
	return slices.Index([]model.VerdictKind{
		model.VerdictUnobservable, model.VerdictHung, model.VerdictStopped, model.VerdictEnded, model.VerdictShutdown, model.VerdictCrashed,
	}, k)
}

// sameCause is an incident of the same kind and zone that began just before.
func (b *Book) sameCause(v model.Verdict, at time.Time) *model.Incident {
	zone := b.zones[v.Subject.Host]
	for n := len(b.list) - 1; n >= 0 && zone != ""; n-- {
		i := b.list[n]
		if at.Sub(i.Opened) > Window {
			return nil
		}
		if i.State == model.IncidentOpen && i.Kind == v.Kind && i.Zone == zone {
			return i
		}
	}
	return nil
}

func (b *Book) begin(v model.Verdict, at time.Time) *model.Incident {
	i := &model.Incident{
		ID:   fmt.Sprintf("%s/%d/%d", v.ID.Reporter, v.ID.Incarnation, v.ID.Sequence),
		Kind: v.Kind, Severity: severity(v.Kind), State: model.IncidentOpen, Opened: at, Zone: b.zones[v.Subject.Host], Subjects: []string{v.Subject.Host},
	}
	b.list = append(b.list, i)
	b.open[v.Subject.Host] = i
	b.add(i, v)
	b.forget()
	return i
}

func (b *Book) add(i *model.Incident, v model.Verdict) {
	b.seen[v.ID] = i
	t := b.traces[i]
	t.reports = append(t.reports, v.ID)
	b.traces[i] = t
	if len(i.Reports) < maxReports {
		i.Reports = append(i.Reports, v)
	} else {
		i.More++
	}
	summarize(i)
}

// correct ends the part of an incident that was about the subject.
func (b *Book) correct(v model.Verdict, at time.Time) *model.Incident {
	host := v.Subject.Host
	if v.Corrects != nil && b.seen[*v.Corrects] == nil {
		b.early.Add(*v.Corrects)
	}
	i := b.open[host]
	if i == nil && v.Corrects != nil {
		i = b.seen[*v.Corrects]
	}
	if i == nil {
		return nil
	}
	b.add(i, v)
	switch was := b.states[host].Kind; {
	case v.Evidence.Clue == model.ClueUnlinked && was != model.VerdictLink:
		return nil // the manager looks for itself
	case was == model.VerdictDeaf && v.Was != was:
		return nil // something else was said of it as well
	}
	if v.Became != "" { // another kind of thing, which has an incident of its own
		b.leave(i, host)
		if into := b.open[b.zones[host]]; into != nil && into != i && i.State == model.IncidentOpen && b.over(i) {
			i.State, i.Closed, i.Changed, i.Into = model.IncidentMerged, at, at, into.ID
		}
		return nil
	}
	delete(b.states, host)
	if v.Was == model.VerdictSegment {
		b.zoneFound(host)
	}
	if i.State != model.IncidentOpen {
		return nil
	}
	b.leave(i, host)
	if !b.over(i) {
		return nil
	}
	i.Closed, i.State = at, model.IncidentClosed
	if i.Kind.Death() && i.Kind != model.VerdictStopped && i.Kind != model.VerdictShutdown && v.Evidence.Clue != "restarted" {
		i.State = model.IncidentCorrected // the same life goes on
	}
	summarize(i)
	return i
}

// leave notes that a subject is back.
func (b *Book) leave(i *model.Incident, subject string) {
	if b.open[subject] == i {
		delete(b.open, subject)
	}
	if !slices.Contains(i.Back, subject) && slices.Contains(i.Subjects, subject) {
		i.Back = append(i.Back, subject)
	}
}

// enlist makes a subject part of an incident, which it may have been before.
func enlist(i *model.Incident, subject string) {
	if !slices.Contains(i.Subjects, subject) {
		i.Subjects = append(i.Subjects, subject)
		return
	}
	i.Back = slices.DeleteFunc(i.Back, func(o string) bool { return o == subject })
}

// over says whether all subjects are back.
func (b *Book) over(i *model.Incident) bool { return len(i.Back) == len(i.Subjects) }

// forget drops the oldest incidents that are over.
func (b *Book) forget() {
	if len(b.list) <= b.Limit {
		return
	}
	at := slices.IndexFunc(b.list, func(i *model.Incident) bool { return i.State != model.IncidentOpen })
	at = max(at, 0)
	gone := b.list[at]
	b.list = slices.Delete(b.list, at, at+1)
	b.lose(gone)
}

// lose drops what leads to an incident that is not in the list any more.
func (b *Book) lose(gone *model.Incident) {
	for _, id := range b.traces[gone].reports {
		drop(b.seen, id, gone)
	}
	for _, subject := range gone.Subjects {
		drop(b.open, subject, gone)
		drop(b.open, foundKey(gone.Kind, subject), gone)
	}
	drop(b.groups, b.traces[gone].group, gone)
	delete(b.traces, gone)
}

// drop forgets what a key leads to, if that is an incident which goes.
func drop[K comparable](index map[K]*model.Incident, key K, gone *model.Incident) {
	if index[key] == gone {
		delete(index, key)
	}
}

// All are the incidents, oldest first. They are copies.
func (b *Book) All() []model.Incident {
	all := make([]model.Incident, 0, len(b.list))
	for _, i := range b.list {
		c := *i
		c.Subjects, c.Back, c.Reports, c.Evidence = slices.Clone(i.Subjects), slices.Clone(i.Back), slices.Clone(i.Reports), slices.Clone(i.Evidence)
		all = append(all, c)
	}
	return all
}

// Said are the hosts that something is said against.
func (b *Book) Said() iter.Seq[string] { return maps.Keys(b.states) }

// Status of a host; ok is false for one that nothing is said against.
func (b *Book) Status(host string) (Status, bool) {
	s, ok := b.states[host]
	return s, ok
}
