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
