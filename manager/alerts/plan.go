package alerts

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"cassini/model"
)

// Statuses of a Notice.
const (
	StatusFiring   = "firing"
	StatusAcked    = "acknowledged" // it goes on, and somebody has taken it on
	StatusSilenced = "silenced"     // it goes on, and nobody wants to be told of it for a while
	StatusResolved = "resolved"     // over, corrected, or part of a larger one
)

// Notice is what a receiver is told of an incident.
type Notice struct {
	Status   string
	Incident model.Incident
	// Before is what it was told last, nil for the first time.
	Before *model.Incident
	// Again says that nothing has changed: the receiver wants to hear it all the same.
	Again bool
	print string
}

// told is what a receiver was told of an incident.
type told struct {
	Status   string         `json:"status"`
	Print    string         `json:"print"`
	At       time.Time      `json:"at"`
	Incident model.Incident `json:"incident"`
}

// memory is what a receiver was told of altogether.
type memory struct {
	// cursor is the moment up to which nothing is owed.
	cursor time.Time
	told   map[string]told // by the incident's identifier
}

// status is what an incident is to a receiver.
func status(i model.Incident, now time.Time) string {
	switch {
	case i.State != model.IncidentOpen:
		return StatusResolved
	case i.Silenced != "":
		return StatusSilenced
	case i.Ack.Holds(now):
		return StatusAcked
	}
	return StatusFiring
}

// fingerprint changes with what a receiver wants to know of.
func fingerprint(i model.Incident, status string) string {
	raw, err := json.Marshal([]any{status, i.Kind, i.Severity, i.State, i.Subjects, i.Back, i.Summary, i.Ack, i.Into})
	if err != nil { // of texts and times: cannot be
		return err.Error()
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// due are the notices that are owed, and those that are repeated, the longest owed first.
func (m memory) due(list []model.Incident, now time.Time, repeat time.Duration) (owed, again []Notice) {
	there := make(map[string]bool, len(list))
	for _, i := range list {
		there[i.ID] = true
		s := status(i, now)
		n := Notice{Status: s, Incident: i, print: fingerprint(i, s)}
		before, known := m.told[i.ID]
		if known {
			n.Before = &before.Incident
		}
		switch {
		case known && before.Print == n.print:
			if repeat > 0 && (s == StatusFiring || s == StatusAcked) && now.Sub(before.At) >= repeat {
				n.Again, n.Incident.Affected = true, before.Incident.Affected
				again = append(again, n)
			}
		case known, s == StatusFiring, s == StatusAcked, s == StatusResolved && i.Silenced == "" && i.Changed.After(m.cursor):
			owed = append(owed, n)
		}
	}
	owed = append(owed, m.forgotten(there, now)...)
	order := func(a, b Notice) int {
		return cmp.Or(a.Incident.Changed.Compare(b.Incident.Changed), cmp.Compare(a.Incident.ID, b.Incident.ID))
	}
	slices.SortFunc(owed, order)
	slices.SortFunc(again, order)
	return owed, again
}

// forgotten are ends of incidents that were told, and are no longer known.
func (m memory) forgotten(there map[string]bool, now time.Time) (list []Notice) {
	for id, t := range m.told {
		if there[id] || t.Status == StatusResolved {
			continue
		}
		i := t.Incident
		i.State, i.Closed, i.Changed = model.IncidentClosed, now, now
		i.Summary += "; forgotten"
		list = append(list, Notice{Status: StatusResolved, Incident: i, Before: &t.Incident, print: fingerprint(i, StatusResolved)})
	}
	return list
}

// finished are the incidents that need not be remembered: their end was told, and the
// cursor is behind it.
func (m memory) finished() (ids []string) {
	for id, t := range m.told {
		if t.Status == StatusResolved && !t.Incident.Changed.After(m.cursor) {
			ids = append(ids, id)
		}
	}
	return ids
}

// short is an incident without what only its reports tell.
func short(i model.Incident) model.Incident {
	i.Reports, i.Evidence = nil, nil
	return i
}
