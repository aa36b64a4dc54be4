package api

import (
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"cassini/model"
)

var update = flag.Bool("update", false, "write golden files")

func TestDOT(t *testing.T) {
	h := handler(filled(t))
	w := do(h, "GET", "/api/v1/graph", "", header("Accept", "text/vnd.graphviz, */*;q=0.1"))
	if got := w.Header().Get("Content-Type"); got != "text/vnd.graphviz; charset=utf-8" {
		t.Errorf("type %s", got)
	}
	const golden = "testdata/graph.dot"
	if *update {
		if err := os.WriteFile(golden, w.Body.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if w.Body.String() != string(want) {
		t.Errorf("differs from %s; look and run with -update:\n%s", golden, w.Body)
	}
	for _, target := range []string{"/api/v1/dependencies?format=dot", "/api/v1/node?format=dot&id=host:web-17"} {
		if w := do(h, "GET", target, ""); !strings.HasPrefix(w.Body.String(), "digraph cassini {") {
			t.Errorf("%s: %s", target, w.Body)
		}
	}
	graphviz(t, w.Body.String())
}

// TestDOTEscapes lets Graphviz read names that want to be code.
func TestDOTEscapes(t *testing.T) {
	evil := "a\"]; }\n<b>\\N \\\" ü -> x\x1b[2J\u009b\u202e\r\x00"
	text := dot(model.Graph{
		Nodes: []model.Node{
			{ID: "host:" + evil, Kind: model.KindHost, Attrs: model.Attrs{"name": evil}},
			{ID: "service:" + evil, Kind: model.KindService, Attrs: model.Attrs{"host": evil, "program": evil, "port": 1, "state": evil}},
			{ID: "unknown-host:" + evil, Kind: model.KindUnknownHost},
			{ID: evil, Kind: evil},
		},
		Edges: []model.Edge{{ID: evil, Kind: model.EdgeDependsOn, From: "unknown-host:" + evil, To: "service:" + evil, Attrs: model.Attrs{"connections": 1}}},
	})
	graphviz(t, text)
	if at := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && !strconv.IsGraphic(r) }); at >= 0 {
		t.Errorf("a terminal would take %q for commands", text[at:min(at+20, len(text))])
	}
	if !strings.Contains(text, `\\x1b[2J\\u009b\\u202e\\r\\x00`) {
		t.Errorf("what was there cannot be seen:\n%s", text)
	}
}

func graphviz(t *testing.T, text string) {
	t.Helper()
	path, err := exec.LookPath("dot")
	if err != nil {
		t.Skip("NEEDS GRAPHVIZ: install the package graphviz to check what dot makes of it")
	}
	cmd := exec.Command(path, "-Tcanon")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "Warning") {
		t.Errorf("dot: %v\n%s\n%s", err, out, text)
	}
}

// A Unix-domain socket has no port: its path stands there.
func TestDOTOfUnixSockets(t *testing.T) {
	for want, attrs := range map[string]model.Attrs{
		"postgres\n/run/s":    {"program": "postgres", "path": "/run/s", "state": model.StateListening},
		"/run/none\n(absent)": {"path": "/run/none", "state": "absent"},
	} {
		if got := short(model.Node{ID: "service:h/x", Kind: model.KindService, Attrs: attrs}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// An edge through a load balancer says what was dialled and what was reached.
func TestDOTSaysWhatWasDialled(t *testing.T) {
	style := edgeStyle(model.Edge{Kind: model.EdgeDependsOn, Attrs: model.Attrs{
		"connections": uint64(7), "dialled": []string{"10.0.0.1:80"}, "server_addr": netip.MustParseAddr("10.1.0.7"), "port": uint16(8080),
	}})
	if !strings.Contains(style, `label="7\n10.0.0.1:80 -> 10.1.0.7:8080"`) {
		t.Error(style)
	}
}
