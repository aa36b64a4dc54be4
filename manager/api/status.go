package api

import (
	"html/template"
	"net/http"
	"slices"
	"time"

	"cassini/model"
)

// Status is what a manager says of itself. Capture, Outbox and Network are null when this
// process has no agent.
type Status struct {
	Version string              `json:"version"`
	Start   time.Time           `json:"start"`
	Host    string              `json:"host"`
	Store   model.StoreStats    `json:"store"`
	Graph   model.GraphStats    `json:"graph"`
	Capture *model.CaptureStats `json:"capture"`
	Outbox  *model.OutboxStats  `json:"outbox"`
	Network *model.NetworkStats `json:"network"`
}

func (s *server) getStatus(w http.ResponseWriter, r *http.Request, _ params) {
	if tenant(r) != "" {
		s.tenantStatus(w, r)
		return
	}
	status := Status{
		Version: s.Version, Start: s.Start.UTC(), Host: s.Host,
		Store: s.Backend.StoreStats(), Graph: s.Backend.GraphStats(),
	}
	if s.Capture != nil {
		status.Capture = s.Capture()
	}
	if s.Outbox != nil {
		status.Outbox = s.Outbox()
	}
	if s.Network != nil {
		status.Network = s.Network()
	}
	s.answer(w, r, status)
}

// tenantStatus is what a tenant's people see: figures of their part, and none of this
// machine.
func (s *server) tenantStatus(w http.ResponseWriter, r *http.Request) {
	g, err := s.Backend.Graph(r.Context(), time.Time{})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, Status{Version: s.Version, Start: s.Start.UTC(), Host: s.Host, Graph: g.Stats()})
}

// getMetrics answers a scrape. It is a question like others: counters are brought up to
// date first.
func (s *server) getMetrics(w http.ResponseWriter, r *http.Request, p params) {
	if s.Metrics == nil {
		problem(w, r, http.StatusNotFound, "this process has no metrics")
		return
	}
	s.refresh(w, r, p)
	s.Metrics.ServeHTTP(w, r)
}

func (s *server) getHealthy(w http.ResponseWriter, _ *http.Request, _ params) {
	s.write(w, "text/plain; charset=utf-8", []byte("healthy\n"))
}

func (s *server) getReady(w http.ResponseWriter, r *http.Request, _ params) {
	if err := s.Backend.Ready(); err != nil {
		w.Header().Set("Retry-After", "1")
		problem(w, r, http.StatusServiceUnavailable, "not ready: "+err.Error())
		return
	}
	s.write(w, "text/plain; charset=utf-8", []byte("ready\n"))
}

func (s *server) getOpenAPI(w http.ResponseWriter, _ *http.Request, _ params) {
	s.write(w, mediaJSON, s.spec)
}

var landing = template.Must(template.New("landing").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Cassini on {{.Host}}</title>
<style>body{font:16px/1.5 sans-serif;max-width:46em;margin:3em auto;padding:0 1em;color:#222}
code{font-size:.9em}td{padding:.15em 1em .15em 0}h1 small{font-weight:normal;color:#777}</style>
<h1>Cassini <small>{{.Version}} on {{.Host}}</small></h1>
<p>What runs here, and what depends on what, heard from the kernel.</p>
<table>{{range .Routes}}<tr><td><a href="{{.Path}}"><code>{{.Path}}</code></a><td>{{.Summary}}{{end}}</table>
<p>On the command line: <code>cassini services</code>, <code>cassini deps</code>, <code>cassini graph</code>, <code>cassini events -f</code>.</p>
</html>
`))

func (s *server) getLanding(w http.ResponseWriter, r *http.Request, _ params) {
	type link struct{ Path, Summary string }
	var links []link
	for _, route := range s.routes {
		needs := slices.ContainsFunc(route.params, func(p param) bool { return p.required })
		if route.method == http.MethodGet && route.path != "/" && !needs {
			links = append(links, link{route.path, route.summary})
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := landing.Execute(w, map[string]any{"Host": s.Host, "Version": s.Version, "Routes": links}); err != nil {
		s.Logger.Debug("landing page", "reader", r.RemoteAddr, "error", err)
	}
}
