package api

import (
	"encoding/csv"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"cassini/model"
)

func TestCSV(t *testing.T) {
	h := handler(filled(t))
	var whole model.Graph
	if err := json.Unmarshal(do(h, "GET", "/api/v1/graph", "").Body.Bytes(), &whole); err != nil {
		t.Fatal(err)
	}
	for format, want := range map[string]struct {
		rows   int
		header string
	}{"nodes-csv": {len(whole.Nodes), "id,kind,"}, "edges-csv": {len(whole.Edges), "id,kind,from,to,attempts,"}} {
		w := do(h, "GET", "/api/v1/graph?format="+format, "")
		rows, err := csv.NewReader(w.Body).ReadAll()
		if err != nil || len(rows) != want.rows+1 || !strings.HasPrefix(strings.Join(rows[0], ","), want.header) {
			t.Errorf("%s: %v, %d rows, want %d, header %v", format, err, len(rows)-1, want.rows, rows[0])
		}
	}
	g := evil()
	g.Nodes[1].Attrs = model.Attrs{"kind": "device", "none": nil}
	text, err := nodesCSV(g)
	rows, readErr := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil || readErr != nil || strings.Join(rows[0], ",") != "id,kind,attr.kind,list,name,none" || rows[1][0] != g.Nodes[0].ID || rows[2][2] != "device" || rows[1][2] != "" {
		t.Errorf("%v, %v: %q", err, readErr, rows)
	}
}

func TestSQLiteFile(t *testing.T) {
	w := do(handler(filled(t)), "GET", "/api/v1/graph?format=sqlite", "")
	if w.Code != 200 || w.Header().Get("Content-Type") != mediaSQLite || !strings.HasPrefix(w.Body.String(), "SQLite format 3\x00") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestPictures(t *testing.T) {
	b := wired(t)
	ring := model.Ring{ID: "all", Epoch: 1, Members: []model.RingMember{}}
	doc, err := model.NewDocument(model.Name{Host: "manager", Package: model.PackageRings, Key: "all"}, now, ring)
	if err == nil {
		err = b.Accept(t.Context(), []model.Document{doc})
	}
	if err != nil {
		t.Fatal(err)
	}
	h := handler(b)
	for name, want := range map[string]string{
		"network":  "host:web-17 interface:web-17/eth0 switch:00:1b:fc:00:00:0a switchport:00:1b:fc:00:00:0a/Gi1/0/7 | owns wired_to has",
		"services": "host:web-17 process:web-17/usr/bin/curl process:web-17/usr/sbin/nginx service:web-17/127.0.0.1:9 service:web-17/nginx:8080 | runs depends_on depends_on runs_as",
		"rings":    "host:web-17 ring:all |",
	} {
		var g model.Graph
		if err := json.Unmarshal(do(h, "GET", "/api/v1/graph?picture="+name, "").Body.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range g.Nodes {
			got = append(got, n.ID)
		}
		got = append(got, "|")
		for _, e := range g.Edges {
			got = append(got, e.Kind)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %s, want %s", name, strings.Join(got, " "), want)
		}
		text := do(h, "GET", "/api/v1/graph?format=dot&picture="+name, "").Body.String()
		if path, err := exec.LookPath("dot"); err == nil {
			cmd := exec.Command(path, "-Tsvg")
			cmd.Stdin = strings.NewReader(text)
			if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "Warning") {
				t.Errorf("%s: %v: %s", name, err, out)
			}
		}
	}
	if text := do(h, "GET", "/api/v1/graph?format=dot&picture=network", "").Body.String(); !strings.Contains(text, "label=\"core-1\"") {
		t.Errorf("the switch has no box:\n%s", text)
	}
}
