package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"cassini/manager/audit"
	"cassini/manager/enroll"
)

// note is what the audit log will have of a request. Only the request's goroutine has it.
type note struct {
	who, target, detail, why string
	keep                     bool // also where a request of this kind is not kept
}

type noteKey struct{}

// noted is the note of a request; one that nobody reads where none is kept.
func noted(r *http.Request) *note {
	if n, ok := r.Context().Value(noteKey{}).(*note); ok {
		return n
	}
	return &note{}
}

// actions are what is kept of routes, by what they do. What changes something and is not
// named here is kept under the name of its route.
var actions = map[string]string{
	"POST /api/v1/enroll":           "host.join",
	"POST /api/v1/enroll/revoke":    "host.revoke",
	"POST /api/v1/enroll/name":      "host.name",
	"POST /api/v1/enroll/machine":   "host.machine",
	"POST /api/v1/tokens":           "token.create",
	"POST /api/v1/tokens/revoke":    "token.revoke",
	"POST /api/v1/hosts/forget":     "host.forget",
	"POST /api/v1/store/compact":    "store.compact",
	"POST /api/v1/rings/rotate":     "rings.rotate",
	"POST /api/v1/incidents/ack":    "incident.ack",
	"POST /api/v1/silences":         "silence.create",
	"POST /api/v1/silences/end":     "silence.end",
	"POST /api/v1/authority/rotate": "authority.rotate",
	"POST /api/v1/authority/retire": "authority.retire",
	"POST /-/reload":                "config.reload",
	"POST /api/v1/documents":        "documents.deliver",
	"POST /api/v1/rings/join":       "rings.join",
	"POST /api/v1/enroll/renew":     "host.renew",
	"POST /api/v1/query":            "query",
	"GET /api/v1/tokens":            "token.list",
	"GET /api/v1/audit":             "audit.list",
	"GET /debug/":                   "process.debug",
	"GET /api/v1/backup":            "backup.take",
}

// changes says whether a route changes something by somebody's will. What agents do all
// the time is kept only when it is refused. A backup changes nothing, and takes the keys
// away.
func changes(r route) bool {
	if r.path == "/api/v1/backup" {
		return true
	}
	need := needed(r)
	return r.method != http.MethodGet && need != enroll.RoleAgent && need != enroll.RoleViewer
}

// audited keeps who changed what by a route, and who was refused.
func (s *server) audited(rt route, next http.Handler) http.Handler {
	if s.Audit == nil {
		return next
	}
	change := changes(rt)
	name := rt.method + " " + rt.path
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := &note{who: "unknown"}
		if s.Enroll == nil {
			n.who = s.speaker(r)
		}
		out := &watched{ResponseWriter: w}
		next.ServeHTTP(out, r.WithContext(context.WithValue(r.Context(), noteKey{}, n)))
		status := cmp.Or(out.status, http.StatusOK)
		refused := status == http.StatusUnauthorized || status == http.StatusForbidden
		if !change && !refused && !n.keep {
			return
		}
		_ = s.Audit.Add(audit.Entry{ // a failure is logged and counted
			At: s.Now(), Who: n.who, From: r.RemoteAddr, Action: cmp.Or(actions[name], name), Target: n.target, Detail: n.detail, Result: result(status), Status: status, Why: n.why,
		})
	})
}

func result(status int) string {
	switch {
	case status < 400:
		return audit.Done
	case status < 500:
		return audit.Refused
	}
	return audit.Failed
}

// auditRoutes are who changed what.
func (s *server) auditRoutes(c common) []route {
	results := []string{audit.Done, audit.Refused, audit.Failed}
	return []route{
		{method: "GET", path: "/api/v1/audit", summary: "Who changed what, when, from where and with what result, the newest first; for admins",
			params: []param{
				{name: "who", about: "only what they did, as entries name them"}, {name: "action", enum: kept(), about: "only this action"},
				{name: "target", about: "only what was done to this"}, {name: "result", enum: results, about: "only with this result"},
				{name: "since", kind: moment, about: "only what was done since"}, {name: "before", kind: number, low: 1, high: 1 << 53, about: "only entries with a lower sequence"}, c.limit(100),
			},
			answer: []audit.Entry{}, statuses: []int{http.StatusBadRequest}, handle: s.getAudit},
	}
}

func kept() (list []string) {
	for _, a := range actions {
		list = append(list, a)
	}
	slices.Sort(list)
	return list
}

func (s *server) getAudit(w http.ResponseWriter, r *http.Request, p params) {
	if s.Audit == nil {
		s.answer(w, r, []audit.Entry{})
		return
	}
	list, err := s.Audit.List(audit.Filter{
		Who: p.get("who"), Action: p.get("action"), Target: p.get("target"), Result: p.get("result"), Since: p.moments["since"],
		Before: uint64(p.numbers["before"]), Limit: p.numbers["limit"],
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, list)
}
