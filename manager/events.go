package manager

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"

	"cassini/manager/api"
	"cassini/model"
)

const (
	eventsKept  = 10_000 // in memory; older ones are made again from the log
	eventBuffer = 1024   // of one stream; a reader that is further behind is cut off
)

// hub hands events to whoever watches.
type hub struct {
	mu     sync.Mutex
	kept   []model.Event // the latest, oldest first
	lost   bool          // older ones were dropped
	closed bool
	subs   map[chan model.Event]struct{}
	lagged uint64
}

func newHub() *hub { return &hub{subs: make(map[chan model.Event]struct{})} }

func (h *hub) publish(events []model.Event) {
	if len(events) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, events...)
	if excess := len(h.kept) - eventsKept; excess > eventsKept/10 {
		n := copy(h.kept, h.kept[excess:])
		clear(h.kept[n:])
		h.kept, h.lost = h.kept[:n], true
	}
	for _, e := range events {
		for ch := range h.subs {
			select {
			case ch <- e:
			default:
				delete(h.subs, ch)
				close(ch)
				h.lagged++
			}
		}
	}
}

// after are the events behind an ID; ok is false when some are no longer kept.
func (h *hub) after(id string) (events []model.Event, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, _ := slices.BinarySearchFunc(h.kept, id, func(e model.Event, id string) int {
		return strings.Compare(e.ID, id)
	})
	if i < len(h.kept) && h.kept[i].ID == id {
		i++
	} else if i == 0 && h.lost {
		return nil, false
	}
	return slices.Clone(h.kept[i:]), true
}

func (h *hub) subscribe() chan model.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	ch := make(chan model.Event, eventBuffer)
	if h.closed {
		close(ch)
		return ch
	}
	h.subs[ch] = struct{}{}
	return ch
}

// close cuts off whoever watches, now and later: they have to ask again.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for ch := range h.subs {
		delete(h.subs, ch)
		close(ch)
	}
}

func (h *hub) unsubscribe(ch chan model.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, ch)
}

func (h *hub) slow() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lagged++
}

func (h *hub) figures() (watchers int, lagged uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subs), h.lagged
}

// Events are the events behind an ID, oldest first: from memory, or made again
// from the log. "" begins with the oldest event in memory.
func (m *Manager) Events(ctx context.Context, since string) iter.Seq2[model.Event, error] {
	return func(yield func(model.Event, error) bool) {
		events, ok := m.events.after(since)
		if !ok && since != "" {
			m.eventsOfLog(ctx, since, yield)
			return
		}
		if !ok {
			events = m.events.all()
		}
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (h *hub) all() []model.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.kept)
}

func (m *Manager) eventsOfLog(ctx context.Context, since string, yield func(model.Event, error) bool) {
	m.applying.Lock()
	until := m.applied
	m.applying.Unlock()
	_, err := m.replayUntil(ctx, until, func(events []model.Event) bool {
		for _, e := range events {
			if e.ID > since && !yield(e, nil) {
				return false
			}
		}
		return true
	})
	if err != nil {
		yield(model.Event{}, err)
	}
}

// Watch follows events: first those behind an ID, then those that happen.
func (m *Manager) Watch(ctx context.Context, since string) api.EventStream {
	ch := m.events.subscribe()
	s := api.EventStream{C: ch, Close: func() { m.events.unsubscribe(ch) }, Slow: m.events.slow}
	if since != "" {
		s.Backlog = m.Events(ctx, since)
	}
	return s
}
