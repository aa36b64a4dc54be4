package api

import (
	"net/http"
	"slices"

	"cassini/manager/graph"
	"cassini/manager/pages"
	"cassini/model"
)

// pageRoutes are what is known of one thing, and lists of what there is.
func (s *server) pageRoutes(c common) []route {
	few := param{name: "limit", kind: number, low: 1, high: 1000, def: 10, about: "at most so many of each list that can be long"}
	return []route{
		{method: "GET", path: "/api/v1/host", summary: "All that is known of one host", data: true,
			params: []param{{name: "host", required: true, about: "name of the host"}, few, c.at},
			answer: model.Page{}, statuses: []int{http.StatusBadRequest, http.StatusNotFound}, handle: s.getHost},
		{method: "GET", path: "/api/v1/service", summary: "All that is known of one service", data: true,
			params: []param{{name: "id", required: true, about: "identifier of the service"}, few, c.at},
			answer: model.Page{}, statuses: []int{http.StatusBadRequest, http.StatusNotFound}, handle: s.getService},
		{method: "GET", path: "/api/v1/programs", summary: "Programs of hosts, with what they serve and dial", data: true,
			params: []param{c.host, {name: "prefix", about: "only programs whose name begins so or, with a slash, whose path does"}, c.at},
			answer: []model.ProgramView{}, statuses: []int{http.StatusBadRequest}, handle: s.getPrograms},
		{method: "GET", path: "/api/v1/cards", summary: "Network cards by maker", data: true,
			params: []param{c.host, c.at}, answer: []model.Card{}, statuses: []int{http.StatusBadRequest}, handle: s.getCards},
		{method: "GET", path: "/api/v1/unknown", summary: "What hosts have to do with and no agent knows: services on addresses of nobody, and machines", data: true,
			params: []param{c.at}, answer: []model.UnknownNode{}, statuses: []int{http.StatusBadRequest}, handle: s.getUnknown},
		{method: "GET", path: "/api/v1/who-talks-to", summary: "Who is client of a service or a host, or of a program: dependencies of it upward", data: true,
			params: []param{{name: "of", required: true, about: "identifier of the service, process or host"}, c.depth(64), c.at},
			answer: []model.DependencyView{}, statuses: []int{http.StatusBadRequest, http.StatusNotFound}, handle: s.getWhoTalksTo},
	}
}

func (s *server) getHost(w http.ResponseWriter, r *http.Request, p params) {
	name := p.get("host")
	page, g := s.page(w, r, p, pages.Host, name, model.KindHost+":"+name)
	if g == nil {
		return
	}
	if p.at().IsZero() {
		v, err := s.Backend.Rings(r.Context())
		if err != nil {
			s.failRings(w, r, err)
			return
		}
		if i := slices.IndexFunc(v.Hosts, func(h model.HostLiveness) bool { return h.Host == name }); i >= 0 {
			page.Liveness = &v.Hosts[i]
		}
	}
	s.answerPage(w, r, p, g, page, func(e model.Event) bool { return e.Host == name })
}

func (s *server) getService(w http.ResponseWriter, r *http.Request, p params) {
	id := p.get("id")
	if page, g := s.page(w, r, p, pages.Service, id, id); g != nil {
		s.answerPage(w, r, p, g, page, func(e model.Event) bool { return about(e.Node, id) })
	}
}

// page asks for what is called by a name and has an identifier; the graph is nil after an
// error was answered.
func (s *server) page(w http.ResponseWriter, r *http.Request, p params, ask func(*graph.Graph, string, int) (model.Page, bool), name, id string) (model.Page, *graph.Graph) {
	g := s.ask(w, r, p)
	if g == nil {
		return model.Page{}, nil
	}
	page, ok := ask(g, name, p.numbers["limit"])
	if !ok {
		unknownNode(w, r, g, id)
		return page, nil
	}
	return page, g
}

// answerPage adds what there is to say of incidents, and the latest events of those that are
// kept, and answers.
func (s *server) answerPage(w http.ResponseWriter, r *http.Request, p params, g *graph.Graph, page model.Page, of func(model.Event) bool) {
	at, limit := p.at(), p.numbers["limit"]
	s.markSilenced(r, g, p, page.Incidents)
	page.Events = []model.Event{}
	for e, err := range s.Backend.Events(r.Context(), "") {
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if of(e) && (at.IsZero() || !e.Time.After(at)) {
			page.Events = append(page.Events, e)
		}
	}
	page.Events = page.Events[max(0, len(page.Events)-limit):]
	slices.Reverse(page.Events)
	s.answer(w, r, page)
}

func (s *server) getPrograms(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.ask(w, r, p); g != nil {
		s.answer(w, r, g.Programs(p.get("host"), p.get("prefix")))
	}
}

func (s *server) getCards(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.standing(w, r, p); g != nil {
		s.answer(w, r, g.Cards(p.get("host")))
	}
}

func (s *server) getUnknown(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.ask(w, r, p); g != nil {
		s.answer(w, r, g.Unknown())
	}
}

func (s *server) getWhoTalksTo(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.ask(w, r, p); g != nil {
		s.answerDependencies(w, r, p, g, graph.DependencyFilter{Of: p.get("of"), Up: true, Depth: p.numbers["depth"]})
	}
}
