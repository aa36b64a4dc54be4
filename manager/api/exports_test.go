package api

import (
	"encoding/json"
	"encoding/xml"
	"os/exec"
	"strings"
	"testing"

	"cassini/model"
)

// evil is a graph whose names want to be markup.
func evil() model.Graph {
	name := "a\"]; </data>\n<b>\\N & ü \x01 -> x"
	return model.Graph{
		Nodes: []model.Node{{ID: "host:" + name, Kind: model.KindHost, Attrs: model.Attrs{"name": name, "list": []string{name}}}, {ID: "service:x", Kind: model.KindService}},
		Edges: []model.Edge{{ID: name, Kind: model.EdgeRuns, From: "host:" + name, To: "service:x", Attrs: model.Attrs{"connections": 3}}},
	}
}

func TestGraphML(t *testing.T) {
	h := handler(filled(t))
	w := do(h, "GET", "/api/v1/graph?format=graphml", "")
	if got := w.Header().Get("Content-Type"); got != "application/graphml+xml; charset=utf-8" {
		t.Errorf("type %s", got)
	}
	var whole model.Graph
	if err := json.Unmarshal(do(h, "GET", "/api/v1/graph", "").Body.Bytes(), &whole); err != nil {
		t.Fatal(err)
	}
	wicked, err := graphML(evil())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text         []byte
		nodes, edges int
	}{{w.Body.Bytes(), len(whole.Nodes), len(whole.Edges)}, {wicked, 2, 1}} {
		var file struct {
			Keys []struct {
				ID string `xml:"id,attr"`
			} `xml:"key"`
			Graph struct {
				Nodes []graphMLItem `xml:"node"`
				Edges []graphMLItem `xml:"edge"`
			} `xml:"graph"`
		}
		if err := xml.Unmarshal(c.text, &file); err != nil {
			t.Fatalf("%v: %s", err, c.text)
		}
		if len(file.Graph.Nodes) != c.nodes || len(file.Graph.Edges) != c.edges || len(file.Keys) == 0 {
			t.Errorf("%d nodes and %d edges, want %d and %d", len(file.Graph.Nodes), len(file.Graph.Edges), c.nodes, c.edges)
		}
		declared := make(map[string]bool)
		for _, key := range file.Keys {
			declared[key.ID] = true
		}
		for _, item := range append(file.Graph.Nodes, file.Graph.Edges...) {
			for _, data := range item.Data {
				if !declared[data.Key] {
					t.Errorf("%s is not declared", data.Key)
				}
			}
		}
	}
	if path, err := exec.LookPath("xmllint"); err == nil {
		cmd := exec.Command(path, "--noout", "-")
		cmd.Stdin = strings.NewReader(string(wicked))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("xmllint: %v: %s", err, out)
		}
	}
}

func TestCytoscapeAndJSONLines(t *testing.T) {
	h := handler(filled(t))
	var whole model.Graph
	if err := json.Unmarshal(do(h, "GET", "/api/v1/graph", "").Body.Bytes(), &whole); err != nil {
		t.Fatal(err)
	}
	var cyto struct {
		Data                 map[string]string // networkx wants it
		Directed, Multigraph bool
		Elements             struct {
			Nodes, Edges []struct {
				Data struct{ ID, Value, Kind, Label, Source, Target, Key string }
			}
		}
	}
	if err := json.Unmarshal(do(h, "GET", "/api/v1/graph?format=cytoscape", "").Body.Bytes(), &cyto); err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for i, n := range cyto.Elements.Nodes {
		known[n.Data.ID] = true
		if n.Data.ID != whole.Nodes[i].ID || n.Data.Value != n.Data.ID || n.Data.Kind != whole.Nodes[i].Kind || n.Data.Label == "" {
			t.Errorf("node %+v, want %+v", n, whole.Nodes[i])
		}
	}
	for _, e := range cyto.Elements.Edges {
		if !known[e.Data.Source] || !known[e.Data.Target] {
			t.Errorf("edge %+v has ends that are not there", e)
		}
		if e.Data.Key != e.Data.Kind {
			t.Errorf("edge %+v is not told from others between its ends", e)
		}
	}
	if cyto.Data == nil || !cyto.Directed || !cyto.Multigraph {
		t.Errorf("the whole is %v, directed %v, with several edges between nodes %v", cyto.Data, cyto.Directed, cyto.Multigraph)
	}
	if len(cyto.Elements.Edges) != len(whole.Edges) || len(whole.Edges) == 0 {
		t.Errorf("%d edges, want %d", len(cyto.Elements.Edges), len(whole.Edges))
	}
	lines := strings.Split(strings.TrimSpace(do(h, "GET", "/api/v1/graph?format=jsonl", "").Body.String()), "\n")
	if len(lines) != len(whole.Nodes)+len(whole.Edges) {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		var one struct {
			Node *model.Node
			Edge *model.Edge
		}
		if err := json.Unmarshal([]byte(line), &one); err != nil || (one.Node == nil) == (one.Edge == nil) {
			t.Errorf("line %s: %v", line, err)
		}
	}
	for _, write := range []func(model.Graph) ([]byte, error){cytoscape, jsonLines} {
		if text, err := write(evil()); err != nil || len(text) == 0 {
			t.Errorf("%s, %v", text, err)
		}
	}
}

// TestAttributesBesideTheirNode wants the kind of an interface, which is an attribute, beside
// what kind of node it is.
func TestAttributesBesideTheirNode(t *testing.T) {
	g := model.Graph{Nodes: []model.Node{{ID: "interface:a/eth0", Kind: model.KindInterface, Attrs: model.Attrs{"kind": "device"}}}}
	for want, write := range map[string]func(model.Graph) ([]byte, error){
		`"attr.kind":"device"`:                                 cytoscape,
		`<data key="node:attr.kind">device</data>`:             graphML,
		"id,kind,attr.kind\ninterface:a/eth0,interface,device": nodesCSV,
	} {
		text, err := write(g)
		if err != nil || !strings.Contains(string(text), want) || !strings.Contains(string(text), "interface") {
			t.Errorf("%s is not in %s, %v", want, text, err)
		}
	}
}
