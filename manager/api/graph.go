package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"cassini/manager/graph"
	"cassini/model"
)

// ask brings counters up to date and finds the graph of the moment; nil after an
// error was answered.
func (s *server) ask(w http.ResponseWriter, r *http.Request, p params) *graph.Graph {
	s.refresh(w, r, p)
	g, err := s.Backend.Graph(r.Context(), p.at())
	if err != nil {
		s.fail(w, r, err)
		return nil
	}
	return g
}

func (s *server) getServices(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.ask(w, r, p); g != nil {
		s.answer(w, r, g.Services(graph.ServiceFilter{Host: p.get("host"), State: p.get("state"), Program: p.get("program"), Proto: p.get("proto")}))
	}
}

func (s *server) getDependencies(w http.ResponseWriter, r *http.Request, p params) {
	g := s.ask(w, r, p)
	if g == nil {
		return
	}
	s.answerDependencies(w, r, p, g, along(p))
}

// along are the dependencies that are asked for.
func along(p params) graph.DependencyFilter {
	direction := p.get("direction")
	return graph.DependencyFilter{
		Host: p.get("host"), Of: p.get("of"), Depth: p.numbers["depth"],
		Down: direction != "up", Up: direction != "down",
	}
}

// getReach needs no counters.
func (s *server) getReach(w http.ResponseWriter, r *http.Request, p params) {
	g := s.standing(w, r, p)
	if g == nil {
		return
	}
	list, ok := g.Reach(along(p))
	if !ok {
		unknownNode(w, r, g, p.get("of"))
		return
	}
	s.answer(w, r, list)
}

func (s *server) answerDependencies(w http.ResponseWriter, r *http.Request, p params, g *graph.Graph, f graph.DependencyFilter) {
	if exportFor(r, p) != nil {
		part, ok := g.DependencyGraph(f)
		if !ok {
			unknownNode(w, r, g, f.Of)
			return
		}
		s.answerGraph(w, r, p, part)
		return
	}
	list, ok, err := g.DependenciesWritten(f)
	defer list.Done()
	switch {
	case err != nil:
		s.fail(w, r, err)
	case !ok:
		unknownNode(w, r, g, f.Of)
	default:
		w.Header().Set("Vary", "Accept")
		w.Header().Set("Content-Type", mediaJSON)
		w.Header().Set("Content-Length", strconv.Itoa(list.Size()))
		_, _ = list.WriteTo(w) // whoever asked has gone if this fails
	}
}

func (s *server) getNodes(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.ask(w, r, p); g != nil {
		s.answer(w, r, g.Nodes(graph.NodeFilter{Kinds: p.texts["kind"], Host: p.get("host"), Text: p.get("q"), Limit: p.numbers["limit"]}))
	}
}

func (s *server) getEdges(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.ask(w, r, p); g != nil {
		s.answer(w, r, g.Edges(graph.EdgeFilter{Kinds: p.texts["kind"], From: p.get("from"), To: p.get("to"), Limit: p.numbers["limit"]}))
	}
}

func (s *server) getNode(w http.ResponseWriter, r *http.Request, p params) {
	g := s.ask(w, r, p)
	if g == nil {
		return
	}
	part, ok := g.Neighbourhood(p.get("id"), p.numbers["depth"])
	if !ok {
		unknownNode(w, r, g, p.get("id"))
		return
	}
	s.answerGraph(w, r, p, part)
}

func (s *server) getGraph(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.ask(w, r, p); g != nil {
		if name := p.get("picture"); name != "" {
			s.answerGraph(w, r, p, drawn(g, name, p.get("host")))
			return
		}
		f := split(p.texts["kind"])
		f.Host = p.get("host")
		s.answerGraph(w, r, p, g.Graph(f))
	}
}

// answerGraph answers in the format that was asked for.
func (s *server) answerGraph(w http.ResponseWriter, r *http.Request, p params, v any) {
	w.Header().Set("Vary", "Accept")
	part, ok := v.(model.Graph)
	e := exportFor(r, p)
	if !ok || e == nil {
		s.answer(w, r, v)
		return
	}
	select {
	case s.exporting <- struct{}{}:
		defer func() { <-s.exporting }()
	case <-r.Context().Done():
		return
	}
	text, err := e.write(r.Context(), part)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.write(w, e.media, text)
}

func unknownNode(w http.ResponseWriter, r *http.Request, g *graph.Graph, id string) {
	detail := fmt.Sprintf("there is no node %q", id)
	if near := g.Suggest(id, 5); near != nil {
		detail += "; did you mean " + strings.Join(near, ", ") + "?"
	}
	problem(w, r, http.StatusNotFound, detail)
}
