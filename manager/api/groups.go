package api

import (
	"cmp"
	"net/http"
	"time"

	"cassini/manager/graph"
	"cassini/manager/groups"
	"cassini/model"
)

// groupRoutes are things folded by what they have in common.
func (s *server) groupRoutes(c common) []route {
	by := param{name: "by", enum: model.GroupKeys(), def: model.GroupByExecutable, about: "what the things of a group have in common"}
	label := param{name: "label", about: "with by=label: only labels of this key, whose values are the groups then"}
	since := param{name: "since", kind: moment, about: "from when on births and deaths count; a day before by default"}
	return []route{
		{method: "GET", path: "/api/v1/groups", summary: "Hosts, services and programs by what they have in common, with their births, deaths, age and figures", data: true,
			params: []param{by, label, since, {name: "sort", enum: groups.Sorts(), def: groups.SortState, about: "what comes first: the worst state, the largest figure, the oldest"},
				c.limit(100), c.at},
			answer: []model.FunctionalGroup{}, statuses: []int{http.StatusBadRequest}, handle: s.getGroups},
		{method: "GET", path: "/api/v1/group", summary: "One group with its members, the groups that it depends on and those that depend on it", data: true,
			params: []param{by, label, {name: "name", about: "what they have in common, or a part that only one group has; left out or (none): things that have nothing of the kind"}, since, c.limit(100), c.at},
			answer: model.FunctionalGroup{}, statuses: []int{http.StatusBadRequest, http.StatusNotFound}, handle: s.getGroup},
	}
}

func (s *server) getGroups(w http.ResponseWriter, r *http.Request, p params) {
	before, now, since, ok := s.groupFacts(w, r, p)
	if !ok {
		return
	}
	list := groups.Fold(p.get("by"), before, now, since)
	groups.Sort(list, p.get("sort"))
	s.answer(w, r, list[:min(len(list), p.numbers["limit"])])
}

func (s *server) getGroup(w http.ResponseWriter, r *http.Request, p params) {
	before, now, since, ok := s.groupFacts(w, r, p)
	if !ok {
		return
	}
	name, ok := groups.Find(p.get("name"), now)
	if !ok {
		problem(w, r, http.StatusNotFound, groups.Unknown(p.get("by"), p.get("name"), now))
		return
	}
	g, _ := groups.One(p.get("by"), name, before, now, since, p.numbers["limit"])
	s.answer(w, r, g)
}

// groupFacts are those of the moment asked for and of the one that births and deaths
// count from; ok is false after an error was answered.
func (s *server) groupFacts(w http.ResponseWriter, r *http.Request, p params) (before, now groups.Facts, since time.Time, ok bool) {
	until := cmp.Or(p.at(), s.Now().UTC())
	// The graph of a past moment is kept for a while: whole minutes let it serve again.
	since = cmp.Or(p.moments["since"], until.Add(-24*time.Hour).Truncate(time.Minute))
	if since.After(until) {
		problem(w, r, http.StatusBadRequest, `parameter "since" is later than "at"`)
		return before, now, since, false
	}
	if p.get("label") != "" && p.get("by") != model.GroupByLabel {
		problem(w, r, http.StatusBadRequest, `parameter "label" is for by=label`)
		return before, now, since, false
	}
	s.refresh(w, r, p)
	tenants := s.hostTenants(r, p.get("by"))
	earlier, err := s.Backend.Graph(r.Context(), since)
	if err == nil {
		var g *graph.Graph
		if g, err = s.Backend.Graph(r.Context(), p.at()); err == nil {
			return earlier.Grouping(p.get("by"), p.get("label"), tenants), g.Grouping(p.get("by"), p.get("label"), tenants), since, true
		}
	}
	s.fail(w, r, err)
	return before, now, since, false
}

// hostTenants are the tenants of hosts, where they are asked for; none without enrolment.
func (s *server) hostTenants(r *http.Request, by string) map[string]string {
	tenants := make(map[string]string)
	if s.Enroll == nil || by != model.GroupByTenant {
		return tenants
	}
	for _, h := range s.hostRecords(r) {
		tenants[h.Host] = h.Tenant
	}
	return tenants
}
