// Package incidents makes incidents of verdicts, and of what documents tell otherwise:
// reports of one death fold into one, deaths of one cause into one, and what later
// evidence contradicts is marked so. It is pure and deterministic: the same verdicts in the same order make the same incidents,
// so that they are replayed from the document log.
package incidents

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"cassini/model"
)

// Window in which deaths of one zone are one incident.
const Window = 15 * time.Second

// Limits.
const (
	DefaultLimit = 10_000 // incidents; the oldest that are closed go first
	maxReports   = 32     // of one incident
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
		b.groups = make(map[string]*model.Incident)
		b.Limit = cmp.Or(b.Limit, DefaultLimit)
	}
}

// Apply takes a verdict that came at a time. It returns the incident that it began or
// ended, or nil.
func (b *Book) Apply(v model.Verdict, at time.Time) *model.Incident {
	b.init()
	if b.seen[v.ID] != nil || v.Subject.Host == "" {
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
	if zone := b.open[b.zones[host]]; zone != nil && zone.Kind == model.VerdictSegment {
		b.add(zone, v) // all of its zone is lost: nothing new
		return nil
	}
	if i := b.open[host]; i != nil {
		b.add(i, v)
		if i.Kind == v.Kind || len(i.Subjects) > 1 || rank(v.Kind) <= rank(i.Kind) {
			return nil
		}
		i.Kind, i.Severity = v.Kind, severity(v.Kind)
		b.states[host] = Status{v.Kind, at}
		summarize(i)
		return i
	}
	b.states[host] = Status{v.Kind, at}
	i := b.sameCause(v, at)
	if i != nil {
		i.Subjects = append(i.Subjects, host)
		b.open[host] = i
		b.add(i, v)
	} else {
		i = b.begin(v, at)
	}
	if v.Kind.Death() && v.Kind != model.VerdictEnded && v.Kind != model.VerdictStopped {
		b.absorb(host, i, at)
	}
	return i
}

// rank orders kinds: a report of a greater one changes what an incident is.
func rank(k model.VerdictKind) int {
	return slices.Index([]model.VerdictKind{
		model.VerdictLink, model.VerdictUnobservable, model.VerdictHung, model.VerdictStopped, model.VerdictEnded, model.VerdictShutdown, model.VerdictCrashed,
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
	i := b.open[host]
	if i == nil && v.Corrects != nil {
		i = b.seen[*v.Corrects]
	}
	if i == nil {
		return nil
	}
	b.add(i, v)
	if v.Became != "" { // another kind of thing, which has an incident of its own
		b.leave(i, host)
		if into := b.open[b.zones[host]]; into != nil && into != i && i.State == model.IncidentOpen && b.over(i) {
			i.State, i.Closed, i.Changed, i.Into = model.IncidentMerged, at, at, into.ID
		}
		return nil
	}
	delete(b.states, host)
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

// over says whether all subjects are back.
func (b *Book) over(i *model.Incident) bool { return len(i.Back) == len(i.Subjects) }

// segment is the loss of a zone: deaths in it that were told just before are part of it,
// and losses of several zones at one time are a partition.
func (b *Book) segment(v model.Verdict, at time.Time) *model.Incident {
	zone := v.Subject.Host
	b.zones[zone] = zone
	for _, o := range v.Evidence.Observations {
		b.states[o.Observer] = Status{model.VerdictSegment, at}
	}
	for n := len(b.list) - 1; n >= 0; n-- {
		i := b.list[n]
		if at.Sub(i.Opened) > Window {
			break
		}
		if i.State == model.IncidentOpen && (i.Kind == model.VerdictSegment || i.Kind == model.VerdictPartition) {
			i.Kind, i.Zone, i.Severity = model.VerdictPartition, "", severity(model.VerdictPartition)
			i.Subjects = append(i.Subjects, zone)
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

// managerAway: a host could not reach the manager for a while, which is over.
func (b *Book) managerAway(v model.Verdict, at time.Time) *model.Incident {
	reporter := v.ID.Reporter
	for n := len(b.list) - 1; n >= max(0, len(b.list)-recent); n-- {
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
		if len(i.Subjects) == 1 {
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
	if i := b.zoneBack(b.zones[host], at); i != nil {
		b.add(i, v) // its zone was lost, and has just come back
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

// recent is how many incidents are looked through for one that a report may belong to.
const recent = 256

// zoneBack is the incident of a zone that was lost and has just come back.
func (b *Book) zoneBack(zone string, at time.Time) *model.Incident {
	for n := len(b.list) - 1; n >= max(0, len(b.list)-recent) && zone != ""; n-- {
		i := b.list[n]
		if slices.Contains(i.Subjects, zone) && i.State == model.IncidentClosed && at.Sub(i.Closed) <= Window {
			return i
		}
	}
	return nil
}

// alsoReunited is an incident of hosts of the same zone who just said the same.
func (b *Book) alsoReunited(host string, at time.Time) *model.Incident {
	zone := b.zones[host]
	for n := len(b.list) - 1; n >= max(0, len(b.list)-recent) && zone != ""; n-- {
		i := b.list[n]
		if i.Zone == zone && i.State == model.IncidentClosed && at.Sub(i.Closed) <= Window && i.Reports[0].Evidence.Clue == "reunited" {
			return i
		}
	}
	return nil
}

// forget drops the oldest incidents that are over.
func (b *Book) forget() {
	if len(b.list) <= b.Limit {
		return
	}
	at := slices.IndexFunc(b.list, func(i *model.Incident) bool { return i.State != model.IncidentOpen })
	at = max(at, 0)
	gone := b.list[at]
	b.list = slices.Delete(b.list, at, at+1)
	for id, i := range b.seen {
		if i == gone {
			delete(b.seen, id)
		}
	}
	for _, index := range []map[string]*model.Incident{b.open, b.groups} {
		for subject, i := range index {
			if i == gone {
				delete(index, subject)
			}
		}
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

// Status of a host; ok is false for one that nothing is said against.
func (b *Book) Status(host string) (Status, bool) {
	s, ok := b.states[host]
	return s, ok
}

func severity(k model.VerdictKind) string {
	switch k {
	case model.VerdictCrashed, model.VerdictSegment, model.VerdictPartition:
		return model.SeverityCritical
	case model.VerdictStopped, model.VerdictShutdown:
		return model.SeverityInfo
	}
	return model.SeverityWarning
}

// summarize says in one line what happened.
func summarize(i *model.Incident) {
	who := strings.Join(i.Subjects[:min(len(i.Subjects), 4)], ", ")
	if n := len(i.Subjects) - 4; n > 0 {
		who += fmt.Sprintf(" and %d more", n)
	}
	what := map[model.VerdictKind]string{
		model.VerdictCrashed:      " crashed: nobody hears anything from there",
		model.VerdictEnded:        ": the agent has ended, the host is up",
		model.VerdictHung:         ": the agent hangs or starves, the host's kernel answers",
		model.VerdictStopped:      ": the agent was stopped in order",
		model.VerdictShutdown:     " shut down in order",
		model.VerdictLink:         ": not heard by all, a link or an interface is down or loses datagrams",
		model.VerdictUnobservable: ": silent, and nobody could confirm why",
		model.VerdictSegment:      " lost: nothing is heard of any host there",
		model.VerdictPartition:    " cut off together",
		model.VerdictManager:      " could not reach the manager",
	}[i.Kind]
	if i.Kind == model.VerdictSegment && len(i.Reports) > 0 && i.Reports[0].Evidence.Clue == "reunited" {
		what = " were cut off together, as they say themselves"
	}
	i.Summary = who + what
	if i.Zone != "" && i.Kind != model.VerdictSegment {
		i.Summary += " (" + i.Zone + ")"
	}
	switch i.State {
	case model.IncidentCorrected:
		i.Summary += "; corrected: the same life goes on"
	case model.IncidentClosed:
		i.Summary += "; over"
	}
}
