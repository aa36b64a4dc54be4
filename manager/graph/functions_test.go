package graph

import (
	"testing"

	"cassini/model"
)

// TestNameFunctions wants names without hosts, and none where they are no less.
func TestNameFunctions(t *testing.T) {
	d := model.Diff{
		Came: []model.Change{
			{ID: "service:web-1/sshd:22", Kind: model.KindService, Host: "web-1"},
			{ID: "service:10.0.9.9:25", Kind: model.KindService},
			{ID: "host:web-1", Kind: model.KindHost, Host: "web-1"},
		},
		Went:    []model.Change{{ID: "process:mon/usr/bin/prometheus -depends_on-> service:web-1/node_exporter:9100", Kind: model.EdgeDependsOn, Host: "mon"}},
		Changed: []model.Change{{ID: "interface:web-1/eth0", Kind: model.KindInterface, Host: "web-1"}},
	}
	NameFunctions(d)
	var got []string
	for _, list := range [][]model.Change{d.Came, d.Went, d.Changed} {
		for _, c := range list {
			got = append(got, c.Function)
		}
	}
	want := []string{"sshd:22", "", "", "prometheus > node_exporter:9100", "eth0"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %q, want %q", got, want)
			break
		}
	}
}
