package incidents

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"cassini/model"
)

// maxSubjects bounds the subjects of an incident that documents tell; more begin another.
const maxSubjects = 200

// Finding is something that documents tell: no verdict, and no death.
type Finding struct {
	Kind     model.VerdictKind
	Severity string
	Subject  string // the node; it is found once until it is over
	// Group is the same for findings of one cause: those that come within Window of the
	// first are one incident.
	Group  string
	Window time.Duration
	What   string // for people
	Action string // what to do about it
}

func (f Finding) key() string { return foundKey(f.Kind, f.Subject) }

func foundKey(kind model.VerdictKind, subject string) string { return string(kind) + " " + subject }

// Find takes a finding of a time. It returns the incident that it began or became part
// of, or nil when that was known.
func (b *Book) Find(f Finding, at time.Time) *model.Incident {
	b.init()
	if b.open[f.key()] != nil {
		return nil
	}
	i := b.sameGroup(f, at)
	if i == nil {
		i = &model.Incident{
			ID: foundID(f, at), Kind: f.Kind, Severity: f.Severity, State: model.IncidentOpen, Opened: at, Action: f.Action, Reports: []model.Verdict{},
		}
		b.list = append(b.list, i)
		b.groups[f.Group], b.traces[i] = i, traces{group: f.Group}
	}
	b.open[f.key()] = i
	enlist(i, f.Subject)
	evident(i, f.What)
	i.Changed = at
	b.describe(i)
	b.forget()
	return i
}

// sameGroup is the open incident that a finding is part of.
func (b *Book) sameGroup(f Finding, at time.Time) *model.Incident {
	i := b.groups[f.Group]
	if i == nil || f.Group == "" || i.State != model.IncidentOpen || i.Kind != f.Kind || at.Sub(i.Opened) > f.Window || len(i.Subjects) >= maxSubjects {
		return nil
	}
	return i
}

// foundID is the same whenever the log is replayed.
func foundID(f Finding, at time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", f.key(), at.UnixMicro()))
	return string(f.Kind) + "-" + hex.EncodeToString(sum[:5])
}

// Known says whether a finding is open.
func (b *Book) Known(kind model.VerdictKind, subject string) bool {
	return b.open[foundKey(kind, subject)] != nil
}

// Over ends a finding. It returns the incident if it ended with it, else nil.
func (b *Book) Over(kind model.VerdictKind, subject string, at time.Time) *model.Incident {
	key := foundKey(kind, subject)
	i := b.open[key]
	if i == nil {
		return nil
	}
	delete(b.open, key)
	i.Back = append(i.Back, subject)
	if !b.over(i) {
		return nil
	}
	i.State, i.Closed, i.Changed = model.IncidentClosed, at, at
	b.describe(i)
	return i
}

// Add notes what an open incident also brought.
func (b *Book) Add(kind model.VerdictKind, subject, what string) {
	i := b.open[foundKey(kind, subject)]
	if i != nil {
		evident(i, what)
	}
}

// Again takes what an open finding brought once more, of which those have to hear who were told
// of it. It returns the incident, or nil where there is none, or where it has that already.
func (b *Book) Again(kind model.VerdictKind, subject, what string, at time.Time) *model.Incident {
	i := b.open[foundKey(kind, subject)]
	if i == nil || slices.Contains(i.Evidence, what) {
		return nil
	}
	evident(i, what)
	t := b.traces[i]
	t.again++
	b.traces[i], i.Changed = t, at
	b.describe(i)
	return i
}

func evident(i *model.Incident, what string) {
	if len(i.Evidence) < maxReports {
		i.Evidence = append(i.Evidence, what)
	} else {
		i.More++
	}
}

// soon is how long before a host's death what ended there ended because of it.
const soon = 2 * time.Minute

// absorb makes what was found of a host just before it died part of its death.
func (b *Book) absorb(host string, into *model.Incident, at time.Time) {
	for n := len(b.list) - 1; n >= max(0, len(b.list)-lookBack); n-- {
		i := b.list[n]
		if i.Kind != model.IncidentServiceGone || i.State != model.IncidentOpen || at.Sub(i.Opened) > soon || model.SubjectHost(i.Subjects[0]) != host {
			continue
		}
		for _, subject := range i.Subjects {
			delete(b.open, foundKey(i.Kind, subject))
		}
		i.State, i.Closed, i.Changed, i.Into = model.IncidentMerged, at, at, into.ID
		b.describe(i)
	}
}

// describe says in one line what was found.
func (b *Book) describe(i *model.Incident) {
	i.Summary = i.Evidence[0]
	if n := len(i.Subjects) - 1 + b.traces[i].again; n > 0 {
		i.Summary += fmt.Sprintf("; and %d more", n)
	}
	if i.State == model.IncidentClosed {
		i.Summary += "; over"
	}
}
