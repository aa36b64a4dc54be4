package api

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"cassini/model"
)

// dot writes a graph in Graphviz' language: a cluster for each host and each switch,
// services as boxes, processes as ellipses, dependencies in bold, failing ones in red.
func dot(g model.Graph) string {
	var b strings.Builder
	b.WriteString("digraph cassini {\n\trankdir=LR;\n\tnode [fontname=\"sans-serif\", fontsize=10];\n\tedge [fontname=\"sans-serif\", fontsize=9];\n")
	var order []string
	byHost, labels := make(map[string][]model.Node), make(map[string]string)
	for _, n := range g.Nodes {
		host, label := box(n)
		if label != "" {
			labels[host] = label
		}
		if _, known := byHost[host]; !known {
			order = append(order, host)
		}
		byHost[host] = append(byHost[host], n)
	}
	for _, host := range order {
		indent := "\t"
		if host != "" {
			fmt.Fprintf(&b, "\tsubgraph %s {\n\t\tlabel=%s;\n\t\tstyle=rounded;\n\t\tcolor=gray60;\n", quote("cluster_"+host), quote(cmp.Or(labels[host], host)))
			indent = "\t\t"
		}
		for _, n := range byHost[host] {
			fmt.Fprintf(&b, "%s%s [%s];\n", indent, quote(n.ID), nodeStyle(n))
		}
		if host != "" {
			b.WriteString("\t}\n")
		}
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "\t%s -> %s [%s];\n", quote(e.From), quote(e.To), edgeStyle(e))
	}
	b.WriteString("}\n")
	return b.String()
}

func nodeStyle(n model.Node) string {
	label := short(n)
	shape := cmp.Or(map[string]string{
		model.KindHost: "house", model.KindEndpoint: "plaintext", model.KindProcess: "ellipse", model.KindUnknownHost: "diamond",
		model.KindSwitch: "box3d", model.KindSwitchPort: "tab", model.KindInterface: "tab", model.KindRing: "doublecircle",
	}[n.Kind], "box")
	style := fmt.Sprintf("label=%s, shape=%s, tooltip=%s", quote(label), quote(shape), quote(n.ID))
	switch state := attr(n.Attrs, "state"); state {
	case model.StateEnded, "absent", "unknown":
		style += ", style=dashed, fontcolor=gray40"
	}
	return style
}

// box is the cluster that a node is drawn in, and what that is called where it differs:
// its host, or its switch.
func box(n model.Node) (cluster, label string) {
	switch n.Kind {
	case model.KindHost:
		return attr(n.Attrs, "name"), ""
	case model.KindSwitch:
		return n.ID, attr(n.Attrs, "name")
	case model.KindSwitchPort:
		return attr(n.Attrs, "switch"), attr(n.Attrs, "switch_name")
	}
	return attr(n.Attrs, "host"), ""
}

// short is what people call a node.
func short(n model.Node) string {
	switch n.Kind {
	case model.KindHost:
		return attr(n.Attrs, "name")
	case model.KindProcess:
		if unit := attr(n.Attrs, "unit"); unit != "" {
			return attr(n.Attrs, "program") + "\n" + unit
		}
		if p := attr(n.Attrs, "program"); p != "" {
			return p
		}
	case model.KindService:
		label := fmt.Sprintf("%s:%v", attr(n.Attrs, "program"), n.Attrs["port"])
		if attr(n.Attrs, "program") == "" {
			label = fmt.Sprintf("%v:%v", n.Attrs["addr"], n.Attrs["port"])
		}
		if path := attr(n.Attrs, "path"); path != "" { // a Unix-domain socket
			label = strings.TrimPrefix(attr(n.Attrs, "program")+"\n"+path, "\n")
		}
		if hears := attr(n.Attrs, "hears"); hears != "" { // packet or raw sockets
			label = attr(n.Attrs, "program") + "\n" + attr(n.Attrs, "proto") + ":" + hears
		}
		if state := attr(n.Attrs, "state"); state != model.StateListening {
			label += "\n(" + state + ")"
		}
		return label
	case model.KindInterface, model.KindRing:
		return attr(n.Attrs, "name")
	case model.KindSwitch:
		return cmp.Or(attr(n.Attrs, "name"), attr(n.Attrs, "chassis"))
	case model.KindSwitchPort:
		return attr(n.Attrs, "port")
	case model.KindEndpoint:
		return fmt.Sprintf("%v:%v", n.Attrs["addr"], n.Attrs["port"])
	}
	_, rest, _ := strings.Cut(n.ID, ":")
	return rest
}

func edgeStyle(e model.Edge) string {
	switch e.Kind {
	case model.EdgeWiredTo: // a cable has no direction
		return "penwidth=1.5, dir=none, tooltip=" + quote(e.ID)
	case model.EdgeNext:
		return "penwidth=1.5, constraint=false, tooltip=" + quote(e.ID)
	case model.EdgeDependsOn:
	default:
		return "color=gray60, tooltip=" + quote(e.Kind)
	}
	failed, _ := e.Attrs["failed"].(uint64)
	label := fmt.Sprint(e.Attrs["connections"])
	if dialled, _ := e.Attrs["dialled"].([]string); len(dialled) > 0 {
		label += fmt.Sprintf("\n%s -> %v:%v", strings.Join(dialled, " "), e.Attrs["server_addr"], e.Attrs["port"])
	}
	style := "penwidth=1.5"
	if failed > 0 {
		label += fmt.Sprintf(", %d failed", failed)
		style += ", color=red3"
	}
	return style + ", label=" + quote(label) + ", tooltip=" + quote(e.ID)
}

func attr(a model.Attrs, key string) string {
	s, _ := a[key].(string)
	return s
}

// visible is a text of lines in which everything can be seen.
func visible(s string) string {
	hidden := func(r rune) bool { return r != '\n' && !strconv.IsGraphic(r) }
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// quote writes a string as DOT does. A backslash would begin one of Graphviz'
// escapes, so that it is doubled. What is no character to be seen, such as what terminals take
// for commands, is written as Go would.
func quote(s string) string {
	s = strings.ReplaceAll(visible(s), `\`, `\\`)
	s = strings.ReplaceAll(s, `"`, `\"`)
	s = strings.ReplaceAll(s, "\n", `\n`)
	return `"` + s + `"`
}
