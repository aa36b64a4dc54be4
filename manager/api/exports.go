package api

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"cassini/manager/sqlitefile"
	"cassini/model"
)

// export is a way to write a graph for other programs.
type export struct {
	name, media string
	write       func(context.Context, model.Graph) ([]byte, error)
}

// exports are all ways besides JSON.
func exports() []export {
	return []export{
		{"dot", mediaDOT + "; charset=utf-8", atOnce(func(g model.Graph) ([]byte, error) { return []byte(dot(g)), nil })},
		{"graphml", mediaGraphML + "; charset=utf-8", atOnce(graphML)},
		{"cytoscape", mediaJSON, atOnce(cytoscape)},
		{"jsonl", mediaJSONLines + "; charset=utf-8", atOnce(jsonLines)},
		{"nodes-csv", mediaCSV + "; charset=utf-8", atOnce(nodesCSV)},
		{"edges-csv", mediaCSV + "; charset=utf-8", atOnce(edgesCSV)},
		{"sqlite", mediaSQLite, sqlitefile.Write},
	}
}

// atOnce is for what takes no time worth interrupting.
func atOnce(write func(model.Graph) ([]byte, error)) func(context.Context, model.Graph) ([]byte, error) {
	return func(_ context.Context, g model.Graph) ([]byte, error) { return write(g) }
}

func exportNames() (names []string) {
	for _, e := range exports() {
		names = append(names, e.name)
	}
	return names
}

// exportFor is the export that was asked for, nil for JSON.
func exportFor(r *http.Request, p params) *export {
	name := p.get("format")
	if name == "" && accepts(r, mediaDOT) {
		name = "dot"
	}
	for _, e := range exports() {
		if e.name == name {
			return &e
		}
	}
	return nil
}

// GraphML's elements (graphml.graphdrawing.org).
type (
	graphMLFile struct {
		XMLName xml.Name `xml:"http://graphml.graphdrawing.org/xmlns graphml"`
		Keys    []graphMLKey
		Graph   graphMLGraph
	}
	graphMLKey struct {
		XMLName xml.Name `xml:"key"`
		ID      string   `xml:"id,attr"`
		For     string   `xml:"for,attr"`
		Name    string   `xml:"attr.name,attr"`
		Type    string   `xml:"attr.type,attr"`
	}
	graphMLGraph struct {
		XMLName xml.Name `xml:"graph"`
		Default string   `xml:"edgedefault,attr"`
		Nodes   []graphMLItem
		Edges   []graphMLItem
	}
	graphMLItem struct {
		XMLName xml.Name
		ID      string        `xml:"id,attr"`
		Source  string        `xml:"source,attr,omitempty"`
		Target  string        `xml:"target,attr,omitempty"`
		Data    []graphMLData `xml:"data"`
	}
	graphMLData struct {
		Key   string `xml:"key,attr"`
		Value string `xml:",chardata"`
	}
)

// graphML writes every attribute as text, which every reader takes; lists and objects
// as JSON. Characters that XML cannot hold are replaced.
func graphML(g model.Graph) ([]byte, error) {
	file := graphMLFile{Graph: graphMLGraph{Default: "directed"}}
	keys := make(map[string]bool)
	data := func(of, kind string, attrs model.Attrs) []graphMLData {
		list := []graphMLData{{of + ":kind", kind}}
		keys[of+":kind"] = true
		for _, name := range slices.Sorted(maps.Keys(attrs)) {
			key := of + ":" + besides(name, "kind")
			keys[key] = true
			list = append(list, graphMLData{key, plainText(attrs[name])})
		}
		return list
	}
	for _, n := range g.Nodes {
		file.Graph.Nodes = append(file.Graph.Nodes, graphMLItem{XMLName: xml.Name{Local: "node"}, ID: n.ID, Data: data("node", n.Kind, n.Attrs)})
	}
	for _, e := range g.Edges {
		file.Graph.Edges = append(file.Graph.Edges, graphMLItem{XMLName: xml.Name{Local: "edge"}, ID: e.ID, Source: e.From, Target: e.To, Data: data("edge", e.Kind, e.Attrs)})
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		of, name := key[:4], key[5:]
		file.Keys = append(file.Keys, graphMLKey{ID: key, For: of, Name: name, Type: "string"})
	}
	text, err := xml.MarshalIndent(file, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write GraphML: %w", err)
	}
	return slices.Concat([]byte(xml.Header), text, []byte("\n")), nil
}

// plainText is an attribute as text: lists and objects as JSON.
func plainText(v any) string {
	text, err := json.Marshal(v)
	var s string
	if err != nil || json.Unmarshal(text, &s) != nil {
		return string(text)
	}
	return s
}

// cytoscape writes the elements that Cytoscape and Cytoscape.js read, with what
// networkx wants beside them: value and key are its names of nodes and of edges between
// the same nodes.
func cytoscape(g model.Graph) ([]byte, error) {
	type element struct {
		Data model.Attrs `json:"data"`
	}
	nodes, edges := make([]element, 0, len(g.Nodes)), make([]element, 0, len(g.Edges))
	with := func(attrs model.Attrs, more model.Attrs) element {
		fixed := slices.Collect(maps.Keys(more))
		for name, v := range attrs {
			more[besides(name, fixed...)] = v
		}
		return element{more}
	}
	for _, n := range g.Nodes {
		nodes = append(nodes, with(n.Attrs, model.Attrs{"id": n.ID, "kind": n.Kind, "label": short(n), "value": n.ID}))
	}
	for _, e := range g.Edges {
		edges = append(edges, with(e.Attrs, model.Attrs{"id": e.ID, "kind": e.Kind, "source": e.From, "target": e.To, "key": e.Kind}))
	}
	text, err := json.Marshal(map[string]any{
		"data": model.Attrs{"name": "cassini"}, "directed": true, "multigraph": true, "elements": map[string]any{"nodes": nodes, "edges": edges},
	})
	if err != nil {
		return nil, fmt.Errorf("write Cytoscape's JSON: %w", err)
	}
	return text, nil
}

// jsonLines writes a line for each node, {"node":{...}}, and then for each edge.
func jsonLines(g model.Graph) ([]byte, error) {
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	for _, n := range g.Nodes {
		if err := lines.Encode(map[string]model.Node{"node": n}); err != nil {
			return nil, fmt.Errorf("write a node: %w", err)
		}
	}
	for _, e := range g.Edges {
		if err := lines.Encode(map[string]model.Edge{"edge": e}); err != nil {
			return nil, fmt.Errorf("write an edge: %w", err)
		}
	}
	return b.Bytes(), nil
}
