package strangers

import (
	"time"

	"cassini/agent/tell"
	"cassini/model"
)

// place is an interface: its namespace and name.
type place struct{ netns, name string }

// thing is what a document tells of another machine.
type thing interface {
	comparable
	Key() string
}

// memory is what is remembered of one kind.
type memory[T thing] struct {
	*Strangers
	pkg string
	at  func(T) place
	// join is how a thing that is known stands when it is told again; quiet says that
	// nobody need hear of the difference.
	join func(before, told T, now time.Time) (joined T, quiet bool)
	all  map[string]T // by document key
}

// take takes a thing, and tells it when it is new or differs.
func (m *memory[T]) take(told T, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := told.Key()
	before, known := m.all[key]
	if !known {
		if m.keep(key, told) {
			m.emit(key, told, now)
		}
		return
	}
	joined, quiet := m.join(before, told, now)
	if joined == before {
		return
	}
	m.move(key, before, joined)
	if !quiet {
		m.emit(key, joined, now)
	}
}

// keep takes a place for one more of an interface, if there is one. Called with mu
// held.
func (m *memory[T]) keep(key string, one T) bool {
	at := m.at(one)
	if m.sum >= Max || m.of[at] >= MaxOfInterface {
		m.refused++
		return false
	}
	m.sum++
	m.of[at]++
	m.all[key] = one
	return true
}

// move puts a thing in the place of what it was, which may have been of another
// interface. Called with mu held.
func (m *memory[T]) move(key string, before, now T) {
	m.all[key] = now
	m.leave(m.at(before))
	m.of[m.at(now)]++
}

func (m *memory[T]) leave(at place) {
	if m.of[at]--; m.of[at] == 0 {
		delete(m.of, at)
	}
}

// forget drops what was of an interface. Called with mu held.
func (m *memory[T]) forget(at place, now time.Time) {
	if m.of[at] == 0 {
		return
	}
	for key, one := range m.all {
		if m.at(one) == at {
			delete(m.all, key)
			m.sum--
			m.leave(at)
			m.emit(key, nil, now)
		}
	}
}

func (m *memory[T]) emit(key string, body any, now time.Time) {
	if !m.published {
		return // Publish sends everything as it then stands
	}
	tell.Document(m.cfg.Emit, m.cfg.Logger, model.Name{Host: m.cfg.Host, Package: m.pkg, Key: key}, now, body)
}

// publish joins what the manager remembers with what was told since the start, and
// tells what the manager does not know. Called with mu held.
func (m *memory[T]) publish(remembered []model.Document, now time.Time) {
	known := make(map[string]bool)
	for _, doc := range remembered {
		if doc.Package == m.pkg && !doc.Gone() {
			known[doc.Key] = m.recall(doc, now)
		}
	}
	for key, one := range m.all {
		if !known[key] {
			m.emit(key, one, now)
		}
	}
}

// recall takes what the manager remembers of a thing. It returns whether the manager
// knows how that stands now.
func (m *memory[T]) recall(doc model.Document, now time.Time) bool {
	var before T
	if doc.Decode(&before) != nil || before.Key() != doc.Key || !m.there[m.at(before)] {
		if _, told := m.all[doc.Key]; !told {
			m.emit(doc.Key, nil, now)
		}
		return false
	}
	told, again := m.all[doc.Key]
	if !again {
		m.keep(doc.Key, before)
		return true
	}
	joined, _ := m.join(before, told, now)
	m.move(doc.Key, told, joined)
	return joined == before
}
