package incidents

import (
	"slices"
	"strings"
	"time"

	"cassini/model"
)

// ForgetHost ends what is said against a host, and what was found of its services and links,
// since nobody waits for it any more. It returns the incidents that ended with it, in the
// order in which they began.
func (b *Book) ForgetHost(host string, at time.Time) (ended []*model.Incident) {
	b.init()
	delete(b.states, host)
	delete(b.zones, host)
	touched := make(map[*model.Incident]bool)
	for key, i := range b.open {
		subject := key
		if _, found, ok := strings.Cut(key, " "); ok && len(i.Evidence) > 0 { // a finding's
			subject = found
		}
		if subject != host && model.SubjectHost(subject) != host {
			continue
		}
		delete(b.open, key)
		if !slices.Contains(i.Back, subject) {
			i.Back = append(i.Back, subject)
		}
		touched[i] = true
	}
	for _, i := range b.list {
		if !touched[i] || i.State != model.IncidentOpen || !b.over(i) {
			continue
		}
		i.State, i.Closed, i.Changed = model.IncidentClosed, at, at
		if len(i.Evidence) > 0 {
			b.describe(i)
		} else {
			summarize(i)
		}
		ended = append(ended, i)
	}
	return ended
}

// ReportOver says whether what a report told is over since before a moment, so that nothing is
// lost with it; known is false of a report that no incident has.
func (b *Book) ReportOver(id model.ReportID, before time.Time) (over, known bool) {
	i := b.seen[id]
	if i == nil {
		return false, false
	}
	return i.State != model.IncidentOpen && i.Closed.Before(before), true
}

// ForgetOver forgets incidents that are over since before a moment.
func (b *Book) ForgetOver(before time.Time) {
	b.list = slices.DeleteFunc(b.list, func(i *model.Incident) bool {
		over := i.State != model.IncidentOpen && i.Closed.Before(before)
		if over {
			b.lose(i)
		}
		return over
	})
}
