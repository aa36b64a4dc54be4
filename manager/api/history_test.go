package api

import "testing"

func TestEventsAboutANode(t *testing.T) {
	const edge = "process:web/usr/bin/curl -depends_on-> service:web/nginx:80"
	for _, c := range []struct {
		what, node string
		want       bool
	}{
		{"service:web/nginx:80", "service:web/nginx:80", true},
		{"service:web/nginx:80", "service:web/nginx:8080", false},
		{"service:web/nginx:8080", "service:web/nginx:80", false},
		{edge, "process:web/usr/bin/curl", true},
		{edge, "service:web/nginx:80", true},
		{edge, "service:web/nginx", false},
		{edge, edge, true},
		{edge, "", true},
	} {
		if got := about(c.what, c.node); got != c.want {
			t.Errorf("%s about %s: %v", c.what, c.node, got)
		}
	}
}
