package api

import (
	"cmp"
	"net/http"
	"sync"
	"time"

	"cassini/manager/graph"
)

func (s *server) getImpact(w http.ResponseWriter, r *http.Request, p params) {
	g := s.standing(w, r, p)
	if g == nil {
		return
	}
	impact, ok := g.Impact(p.get("of"))
	if !ok {
		unknownNode(w, r, g, p.get("of"))
		return
	}
	s.answer(w, r, impact)
}

func (s *server) getSPOF(w http.ResponseWriter, r *http.Request, p params) {
	g := s.standing(w, r, p)
	if g == nil {
		return
	}
	list, ok := g.SinglePoints(p.get("of"))
	if !ok {
		unknownNode(w, r, g, p.get("of"))
		return
	}
	s.answer(w, r, list[:min(len(list), p.numbers["limit"])])
}

func (s *server) getPath(w http.ResponseWriter, r *http.Request, p params) {
	g := s.standing(w, r, p)
	if g == nil {
		return
	}
	steps, unknown := g.Path(p.get("from"), p.get("to"))
	if unknown != "" {
		unknownNode(w, r, g, unknown)
		return
	}
	s.answer(w, r, steps)
}

// getUnused brings counters up to date first: a client may be news.
func (s *server) getUnused(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.ask(w, r, p); g != nil {
		s.answer(w, r, g.Unused(p.get("host")))
	}
}

func (s *server) getExposed(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.standing(w, r, p); g != nil {
		s.answer(w, r, g.Exposed(p.get("host")))
	}
}

func (s *server) getOverview(w http.ResponseWriter, r *http.Request, p params) {
	before, now := s.compared(w, r, p, p.moments["since"], time.Time{})
	if before == nil {
		return
	}
	ask := graph.OverviewOf
	if p.get("problems") == "true" {
		ask = graph.ProblemsOf
	}
	o := ask(before, now, p.numbers["limit"])
	o.Since = p.moments["since"]
	s.answer(w, r, o)
}

// twice finds the graphs of two moments, of which the zero one is now; nil after an error
// was answered.
func (s *server) twice(w http.ResponseWriter, r *http.Request, p params, from, to time.Time) (before, after *graph.Graph) {
	s.refresh(w, r, p)
	before, err := s.Backend.Graph(r.Context(), from)
	if err == nil {
		after, err = s.Backend.Graph(r.Context(), to)
	}
	if err != nil {
		s.fail(w, r, err)
		return nil, nil
	}
	return before, after
}

// compared does what twice does for graphs that are compared: the one of now is made ready for that while the other
// is replayed.
func (s *server) compared(w http.ResponseWriter, r *http.Request, p params, from, to time.Time) (before, after *graph.Graph) {
	var summing sync.WaitGroup
	defer summing.Wait()
	if to.IsZero() && !from.IsZero() {
		if now, err := s.Backend.Graph(r.Context(), to); err == nil {
			summing.Go(func() { now.SumUp(r.Context()) })
		}
	}
	return s.twice(w, r, p, from, to)
}

func (s *server) getDiff(w http.ResponseWriter, r *http.Request, p params) {
	from, to := p.moments["from"], p.moments["to"]
	if !to.IsZero() && to.Before(from) {
		problem(w, r, http.StatusBadRequest, `parameter "to" is before "from"`)
		return
	}
	before, after := s.compared(w, r, p, from, to)
	if before == nil {
		return
	}
	d := graph.DiffGraphs(before, after)
	graph.NameFunctions(d)
	d.From, d.To = from, cmp.Or(to, time.Now()).UTC()
	s.answer(w, r, d)
}

// getTargets answers with the whole list. Until the log is replayed the answer is 503,
// upon which Prometheus keeps what it has; an empty list would make it drop everything.
func (s *server) getTargets(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.standing(w, r, p); g != nil {
		s.answer(w, r, g.Targets(graph.TargetFilter{
			Host: p.get("host"), Program: p.get("program"), Port: uint16(p.numbers["port"]), Loopback: p.get("loopback") == "true",
		}))
	}
}
