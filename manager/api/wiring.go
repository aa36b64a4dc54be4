package api

import (
	"mime"
	"net/http"

	"cassini/manager/graph"
	"cassini/manager/wiring"
	"cassini/model"
)

const mediaCSV = "text/csv"

// wiringRoutes hold cables against a plan.
func (s *server) wiringRoutes(c common) []route {
	return []route{
		{method: "POST", path: "/api/v1/wiring", summary: "Hold cables against a plan: CSV with the columns host, interface, switch and port, or what 'lldpcli -f json0 show neighbors' wrote on one host", data: true,
			params: []param{{name: "host", about: "only cables of this host; of lldpcli's JSON the host that it ran on"},
				{name: "partial", enum: []string{"true", "false"}, def: "false", about: "cables of hosts that are not in the plan are not unplanned; so it is for lldpcli's JSON"}, c.at},
			bodyMedia: []string{mediaCSV, mediaJSON}, answer: model.Cabling{}, statuses: []int{http.StatusBadRequest, 413, 415}, handle: s.postWiring},
		{method: "GET", path: "/api/v1/wiring", summary: "Cables as a plan that POST takes", data: true,
			params: []param{c.host, {name: "format", enum: []string{"json", "csv"}, def: "json", about: "how to write them"}, c.at},
			answer: []model.PlannedCable{}, media: []string{mediaJSON, mediaCSV}, statuses: []int{http.StatusBadRequest}, handle: s.getWiring},
	}
}

func (s *server) postWiring(w http.ResponseWriter, r *http.Request, p params) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != mediaCSV && media != mediaJSON {
		problem(w, r, http.StatusUnsupportedMediaType, "send Content-Type: "+mediaCSV+", or "+mediaJSON+" with what lldpcli -f json0 wrote")
		return
	}
	body, ok := readBody(w, r, wiring.MaxPlan)
	if !ok {
		return
	}
	var plan wiring.Plan
	if media == mediaJSON {
		plan, err = wiring.ReadLLDPCLI(body, p.get("host"))
	} else {
		plan, err = wiring.ReadCSV(body)
	}
	if err != nil {
		problem(w, r, http.StatusBadRequest, err.Error())
		return
	}
	plan.Partial = plan.Partial || p.get("partial") == "true"
	if g := s.standing(w, r, p); g != nil {
		s.answer(w, r, wiring.Compare(plan, wiring.Actual{Ports: g.Ports(graph.PortFilter{}), Interfaces: g.Interfaces(""), Hosts: g.HostNames()}, p.get("host")))
	}
}

func (s *server) getWiring(w http.ResponseWriter, r *http.Request, p params) {
	g := s.standing(w, r, p)
	if g == nil {
		return
	}
	cables := wiring.Export(g.Ports(graph.PortFilter{}), p.get("host"))
	if p.get("format") == "csv" {
		s.write(w, mediaCSV+"; charset=utf-8", wiring.WriteCSV(cables))
		return
	}
	s.answer(w, r, cables)
}
