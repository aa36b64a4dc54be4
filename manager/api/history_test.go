package api

import "testing"

func TestEventsAboutANode(t *testing.T) {
	const edge = "process:web/usr/bin/curl -depends_on-> service:db/postgres:5432"
	for _, c := range []struct {
		what  string
		nodes []string
		want  bool
	}{
		{"service:web/nginx:80", []string{"service:web/nginx:80"}, true},
		{"service:web/nginx:80", []string{"service:web/nginx:8080"}, false},
		{"service:web/nginx:8080", []string{"service:web/nginx:80"}, false},
		{"service:web/nginx:8080", []string{"service:web/nginx:80", "service:web/nginx:8080"}, true},
		{"service:web/nginx:80", []string{"host:web"}, true},
		{"interface:web/eth0", []string{"host:web"}, true},
		{"interface:web/eth0", []string{"host:we"}, false},
		{"unknown-host:web", []string{"host:"}, false},
		{"host:web", []string{"host:web"}, true},
		{edge, []string{"process:web/usr/bin/curl"}, true},
		{edge, []string{"service:db/postgres:5432"}, true},
		{edge, []string{"service:db/postgres"}, false},
		{edge, []string{"host:db"}, true},
		{edge, []string{"host:web", "host:cache"}, true},
		{edge, []string{"host:cache"}, false},
		{edge, []string{edge}, true},
		{edge, nil, true},
	} {
		if got := about(c.what, c.nodes...); got != c.want {
			t.Errorf("%s about %s: %v", c.what, c.nodes, got)
		}
	}
}

// TestPlacesInTheLog refuses what no identifier begins with: as text it sorts behind all of
// them, so that a stream would be silent for ever.
func TestPlacesInTheLog(t *testing.T) {
	for v, want := range map[string]bool{
		"": true, "0": true, "2026": true, "2026-11-20": true, "2026-11-20.19:26:03.123456.listeners.web-17#2": true,
		"nonsense": false, "2026-11-20T19:26:03Z": false, "2026/11": false, "2026-11-20.19:26:03.123456/x": false, "2026-11-20.19:26:03.123456.\xff": false,
	} {
		if isEntry(v) != want {
			t.Errorf("%q: %v", v, !want)
		}
	}
	h := handler(filled(t))
	wantProblem(t, do(h, "GET", "/api/v1/events?since=yesterday", ""), 400, `parameter "since" is "yesterday": want an identifier such as`)
	wantProblem(t, do(h, "GET", "/api/v1/history?host=web-17&before=yesterday", ""), 400, `parameter "before" is "yesterday"`)
	wantProblem(t, do(h, "GET", "/api/v1/events", "", header("Accept", mediaEvents), header("Last-Event-ID", "yesterday")), 400, `Last-Event-ID is "yesterday"`)
}
