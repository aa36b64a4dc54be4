package dashboards

// services is what runs, and who depends on whom.
func services() Dashboard {
	return newDashboard("cassini-services", "Cassini / Services and dependencies",
		"What the graph knows, and the busiest dependencies: connections, failures, bytes.",
		section{"The graph", graphPanels()},
		section{"Who depends on whom", dependencyPanels()},
		section{"What the graph is made of", documentPanels()},
	)
}

func graphPanels() []Panel {
	return []Panel{
		stat(about{"Services that listen", "Services on all hosts with an agent.", count}, neutral(), 4, query{`sum(cassini_services{state="listening"})`, "listening"}),
		stat(about{"Dependencies shown", "Dependencies of a client on a service. A scrape shows the 500 busiest.", count}, neutral(), 4, query{`count(cassini_dependency_connections_total)`, "shown"}),
		stat(about{"Dependencies left out", "Those beyond that limit.", count}, yellowAbove(1), 4, query{`sum(cassini_dependency_series_dropped)`, "left out"}),
		stat(about{"Without direction", "Dependencies whose direction nothing tells yet: they are in the documents, but no edges.", count}, neutral(), 4, query{`sum(cassini_graph_undirected_dependencies)`, "undirected"}),
		stat(about{"Connections that are open", "Of all dependencies that are shown.", count}, neutral(), 4, query{`sum(cassini_dependency_open_connections)`, "open"}),
		stat(about{"Attempts that fail", "Share of attempts to connect that did not get through.", ratio}, above(0.01, 0.1), 4,
			query{`sum(rate(cassini_dependency_failures_total[$__rate_interval])) / (sum(rate(cassini_dependency_failures_total[$__rate_interval])) + sum(rate(cassini_dependency_connections_total[$__rate_interval])))`, "failed"}),
	}
}

func dependencyPanels() []Panel {
	top := func(expr string) string { return `topk(15, ` + expr + `)` }
	perSecond := func(metric, by string) string {
		return `sum by (` + by + `) (rate(` + metric + `[$__rate_interval]))`
	}
	const connections, failures, ends = "cassini_dependency_connections_total", "cassini_dependency_failures_total", "client, server, proto"
	return []Panel{
		curves(about{"Connections, by service", "The 15 services that are used most.", perSec}, calm(), 12, query{top(perSecond(connections, "server")), "{{server}}"}),
		curves(about{"Failures, by service and reason", "The 15 that fail most: refused, timed_out, unreachable, aborted, other.", perSec}, calm(), 12,
			query{top(perSecond(failures, "server, reason")), "{{server}}: {{reason}}"}),
		curves(about{"Share that fails, by service", "Of the attempts to connect to a service. Absent where nobody tries.", ratio}, above(0.01, 0.1), 12,
			query{top(perSecond(failures, "server") + ` / (` + perSecond(failures, "server") + ` + ` + perSecond(connections, "server") + ` > 0)`), "{{server}}"}),
		curves(about{"Open connections, by service", "The 15 services with the most.", count}, calm(), 12, query{top(`sum by (server) (cassini_dependency_open_connections)`), "{{server}}"}),
		curves(about{"Bytes, by service and direction", "Payload of connections, open and closed.", rate}, calm(), 12,
			query{top(perSecond("cassini_dependency_bytes_total", "server, direction")), "{{server}}: {{direction}}"}),
		curves(about{"Clients, by service", "How many programs use a service: those of the busiest dependencies only.", count}, calm(), 12,
			query{top(`count by (server) (` + connections + `)`), "{{server}}"}),
		table(about{"Dependencies", "Who depends on whom.", count}, 24, nil,
			column{"Connections", `sum by (` + ends + `) (` + connections + `)`, count, nil},
			column{"Per second", perSecond(connections, ends), perSec, nil},
			column{"Failed", `sum by (` + ends + `) (` + failures + `)`, count, yellowAbove(1)},
			column{"Open", `sum by (` + ends + `) (cassini_dependency_open_connections)`, count, nil},
		),
	}
}

func documentPanels() []Panel {
	return []Panel{
		curves(about{"Nodes, by kind", "Hosts, interfaces, services, rings and what else the graph knows.", count}, calm(), 8, query{`sum by (kind) (cassini_graph_nodes)`, "{{kind}}"}),
		curves(about{"Edges, by kind", "What ties them together.", count}, calm(), 8, query{`sum by (kind) (cassini_graph_edges)`, "{{kind}}"}),
		curves(about{"Documents", "Documents applied to the graph; rejected ones were not understood; forgotten things were dropped at the graph's bound.", perSec}, calm(), 8,
			query{`sum(rate(cassini_graph_documents_total[$__rate_interval]))`, "applied"},
			query{`sum(rate(cassini_graph_rejected_total[$__rate_interval])) or vector(0)`, "rejected"},
			query{`sum(rate(cassini_graph_forgotten_total[$__rate_interval]))`, "forgotten"}),
	}
}
