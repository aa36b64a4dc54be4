package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"cassini/model"
)

const (
	// heartbeat is how long a stream may be silent: who is between (a proxy, a
	// client) may otherwise take it for dead.
	heartbeat = 30 * time.Second
	// slowTimeout is how long one write to a reader may take.
	slowTimeout = 10 * time.Second
)

func (s *server) getEvents(w http.ResponseWriter, r *http.Request, p params) {
	w.Header().Set("Vary", "Accept")
	if accepts(r, mediaEvents) {
		s.streamEvents(w, r, p)
		return
	}
	list := []model.Event{}
	limit := p.numbers["limit"]
	for e, err := range s.Backend.Events(r.Context(), p.get("since")) {
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if wanted(e, p) {
			list = append(list, e)
		}
		if len(list) >= 2*limit { // the latest are wanted, and memory is not without end
			list = append(list[:0], list[len(list)-limit:]...)
		}
	}
	s.answer(w, r, list[max(0, len(list)-limit):])
}

func wanted(e model.Event, p params) bool {
	kinds := p.texts["kind"]
	return (len(kinds) == 0 || slices.Contains(kinds, e.Kind)) && (p.get("host") == "" || p.get("host") == e.Host) && about(e.Node, p.texts["node"]...)
}

// about says whether an event of a node or an edge is about one of some nodes, or of none: the
// same, what is on it, or an end of the edge.
func about(what string, nodes ...string) bool {
	from, to, edge := strings.Cut(what, " -"+model.EdgeDependsOn+"-> ")
	return len(nodes) == 0 || slices.ContainsFunc(nodes, func(node string) bool {
		return what == node || on(from, node) || edge && on(to, node)
	})
}

// on says whether a node is another, or is on it, which is a host.
func on(what, node string) bool {
	host, is := strings.CutPrefix(node, model.KindHost+":")
	return what == node || is && host != "" && model.NodeHost(what) == host
}

// stream is one reader of events.
type stream struct {
	w      *patient
	params params
	last   string       // ID of the last event that was taken from either source
	may    func() error // why the reader may not read any more
}

// streamEvents sends events until the reader goes, the manager ends or the reader
// is too slow. Last-Event-ID (or since) asks for those that were missed.
func (s *server) streamEvents(w http.ResponseWriter, r *http.Request, p params) {
	since := r.Header.Get("Last-Event-ID")
	if !isEntry(since) {
		problem(w, r, http.StatusBadRequest, fmt.Sprintf("Last-Event-ID is %q: %v", since, errNoEntry))
		return
	}
	if since == "" {
		since = p.get("since")
	}
	events := s.Backend.Watch(r.Context(), since)
	defer events.Close()
	w.Header().Set("Content-Type", mediaEvents)
	out := stream{w: newPatient(w, slowTimeout), params: p, last: since, may: func() error { return s.still(r) }}
	err := out.run(r, events)
	switch {
	case errors.Is(err, errSlow):
		events.Slow()
		s.Logger.Info("event stream cut off: its reader is too slow", "reader", r.RemoteAddr)
	case errors.Is(err, errNotAnyMore):
		s.Logger.Info("event stream cut off", "reader", r.RemoteAddr, "who", s.speaker(r), "why", err)
	case err != nil:
		s.Logger.Warn("event stream ended", "reader", r.RemoteAddr, "error", err)
	}
}

func (out *stream) run(r *http.Request, events EventStream) error {
	if err := out.write(": events\n\n"); err != nil {
		return err
	}
	if events.Backlog != nil {
		for e, err := range events.Backlog {
			if err == nil {
				err = out.event(e)
			}
			if err != nil {
				return err
			}
		}
	}
	silence := time.NewTimer(heartbeat)
	defer silence.Stop()
	for {
		var err error
		select {
		case <-r.Context().Done():
			return nil
		case e, ok := <-events.C:
			if !ok { // counted where it was cut off
				return nil
			}
			err = out.event(e)
		case <-silence.C:
			err = out.write(": still here\n\n")
		}
		if err != nil {
			return err
		}
		silence.Reset(heartbeat)
	}
}

// event sends one event that was not sent before and is wanted.
func (out *stream) event(e model.Event) error {
	if e.ID <= out.last {
		return nil
	}
	out.last = e.ID
	if !wanted(e, out.params) {
		return nil
	}
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	return out.write(fmt.Sprintf("id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Kind, data))
}

// write writes to who still may read.
func (out *stream) write(text string) error {
	if err := out.may(); err != nil {
		return err
	}
	_, err := out.w.Write([]byte(text))
	if err == nil {
		err = out.w.Flush()
	}
	if errors.Is(err, errSlow) {
		return err
	}
	return nil // it has gone: the context ends next
}
