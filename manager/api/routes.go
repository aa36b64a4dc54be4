package api

import (
	"net/http"
	"slices"
	"strings"

	"cassini/manager/graph"
	"cassini/model"
)

// route is one thing that is served; the OpenAPI description is made from it.
type route struct {
	method, path string
	summary      string
	params       []param
	data         bool // needs the replayed log
	answer       any  // a value of the type of the answer's body, nil for other media
	media        []string
	body         any // of the request
	statuses     []int
	handle       func(http.ResponseWriter, *http.Request, params)
}

// pattern is the path as ServeMux wants it: "/" is that path alone.
func (r route) pattern() string {
	if strings.HasSuffix(r.path, "/") {
		return r.path + "{$}"
	}
	return r.path
}

const (
	mediaJSON      = "application/json"
	mediaDOT       = "text/vnd.graphviz"
	mediaGraphML   = "application/graphml+xml"
	mediaJSONLines = "application/jsonl"
	mediaEvents    = "text/event-stream"
)

var (
	nodeKinds = []string{model.KindHost, model.KindService, model.KindEndpoint, model.KindProcess, model.KindUnknownHost,
		model.KindInterface, model.KindIP, model.KindSubnet, model.KindMAC, model.KindSwitch, model.KindSwitchPort, model.KindVLAN}
	edgeKinds = []string{model.EdgeRuns, model.EdgeListensOn, model.EdgeRunsAs, model.EdgeHas, model.EdgeDependsOn,
		model.EdgeOwns, model.EdgeIn, model.EdgeWiredTo, model.EdgeSees, model.EdgeForwardsTo, model.EdgeOn}
	eventKinds = model.EventKinds()
)

func (s *server) table() []route {
	host := param{name: "host", about: "only what belongs to this host"}
	at := param{name: "at", kind: moment, about: "ask for this past moment"}
	port := param{name: "port", kind: number, low: 1, high: 65535, about: "only services on this port"}
	format := param{name: "format", enum: append([]string{"json"}, exportNames()...), about: "dot is Graphviz', as Accept: " + mediaDOT + " asks for as well; jsonl is a line for each node and edge"}
	limit := func(def int) param {
		return param{name: "limit", kind: number, low: 1, high: 100_000, def: def, about: "at most so many"}
	}
	depth := func(high int) param {
		return param{name: "depth", kind: number, low: 1, high: high, def: 1, about: "how many steps to follow"}
	}
	pkg := param{name: "package", about: "only documents of this package"}
	key := param{name: "key", about: "only documents with this key"}
	graphMedia := []string{mediaJSON, mediaDOT, mediaGraphML, mediaJSONLines}
	bad, missing := http.StatusBadRequest, http.StatusNotFound

	return []route{
		{method: "POST", path: "/api/v1/documents", summary: "Take documents of one host; answers once they are durable", data: true,
			body: documentsBody{}, answer: accepted{}, statuses: []int{bad, 413, 415, 503}, handle: s.postDocuments},
		{method: "GET", path: "/api/v1/documents", summary: "The newest document of every name", data: true,
			params: []param{host, pkg, key, at}, answer: []model.Document{}, statuses: []int{bad}, handle: s.getDocuments},
		{method: "GET", path: "/api/v1/history", summary: "What the document log has of a host, newest first", data: true,
			params: []param{{name: "host", required: true, about: "whose documents"}, pkg, key, limit(100),
				{name: "before", about: "only entries before this log key"}},
			answer: []LogEntry{}, statuses: []int{bad}, handle: s.getHistory},
		{method: "GET", path: "/api/v1/services", summary: "Services that listen or listened", data: true,
			params: []param{host, {name: "state", enum: []string{model.StateListening, model.StateEnded}, about: "only services in this state"},
				{name: "program", about: "only services of this program"}, at},
			answer: []model.Service{}, statuses: []int{bad}, handle: s.getServices},
		{method: "GET", path: "/api/v1/dependencies", summary: "Who is client of whom", data: true,
			params: []param{host, {name: "of", about: "identifier of the service, process or host to begin at; without it all"},
				{name: "direction", enum: []string{"down", "up", "both"}, def: "down", about: "down is what it depends on, up who depends on it"},
				depth(64), at, format},
			answer: []model.DependencyView{}, media: graphMedia, statuses: []int{bad, missing}, handle: s.getDependencies},
		{method: "GET", path: "/api/v1/interfaces", summary: "Network interfaces of hosts", data: true,
			params: []param{host, at}, answer: []model.HostInterface{}, statuses: []int{bad}, handle: s.getInterfaces},
		{method: "GET", path: "/api/v1/routes", summary: "Routes of hosts", data: true,
			params: []param{host, at}, answer: []model.HostRoute{}, statuses: []int{bad}, handle: s.getRoutes},
		{method: "GET", path: "/api/v1/rules", summary: "Routing rules of hosts, but for the three that every namespace has", data: true,
			params: []param{host, at}, answer: []model.HostRule{}, statuses: []int{bad}, handle: s.getRules},
		{method: "GET", path: "/api/v1/ports", summary: "Which switch port each cable of a host ends in", data: true,
			params: []param{host, {name: "interface", about: "only this interface"},
				{name: "switch", about: "only ports of this switch: its identifier, chassis or name"},
				{name: "ended", enum: []string{"true", "false"}, def: "false", about: "also what is not heard any more"}, at},
			answer: []model.Port{}, statuses: []int{bad}, handle: s.getPorts},
		{method: "GET", path: "/api/v1/switches", summary: "Switches, and the hosts on their ports", data: true,
			params: []param{at}, answer: []model.Switch{}, statuses: []int{bad}, handle: s.getSwitches},
		{method: "GET", path: "/api/v1/strangers", summary: "Machines that hosts see and where no agent is", data: true,
			params: []param{at}, answer: []model.Stranger{}, statuses: []int{bad}, handle: s.getStrangers},
		{method: "GET", path: "/api/v1/uplinks", summary: "How hosts are joined to switches, and what one failure cuts off", data: true,
			params: []param{host, {name: "single", enum: []string{"true", "false"}, def: "false", about: "only hosts that one failure cuts off"}, at},
			answer: []model.Uplinks{}, statuses: []int{bad}, handle: s.getUplinks},
		{method: "GET", path: "/api/v1/shared", summary: "What two hosts have in common", data: true,
			params: []param{{name: "a", required: true, about: "name of a host"}, {name: "b", required: true, about: "name of another"}, at},
			answer: []model.Shared{}, statuses: []int{bad, missing}, handle: s.getShared},
		{method: "GET", path: "/api/v1/impact", summary: "What falls when a node dies", data: true,
			params: []param{{name: "of", required: true, about: "identifier of the node: a host, switch, switchport, interface, service or process"}, at},
			answer: model.Impact{}, statuses: []int{bad, missing}, handle: s.getImpact},
		{method: "GET", path: "/api/v1/spof", summary: "Single points of failure: what takes others along when it alone dies", data: true,
			params: []param{{name: "of", about: "only what this node falls with"}, limit(100), at},
			answer: []model.SinglePoint{}, statuses: []int{bad, missing}, handle: s.getSPOF},
		{method: "GET", path: "/api/v1/path", summary: "A shortest way between two nodes", data: true,
			params: []param{{name: "from", required: true, about: "identifier of a node"}, {name: "to", required: true, about: "identifier of another"}, at},
			answer: []model.Step{}, statuses: []int{bad, missing}, handle: s.getPath},
		{method: "GET", path: "/api/v1/unused", summary: "Services that nobody was ever seen to be a client of", data: true,
			params: []param{host, at}, answer: []model.Service{}, statuses: []int{bad}, handle: s.getUnused},
		{method: "GET", path: "/api/v1/exposed", summary: "Services that listen on every address of their host", data: true,
			params: []param{host, at}, answer: []model.Service{}, statuses: []int{bad}, handle: s.getExposed},
		{method: "GET", path: "/api/v1/diff", summary: "What came, went and changed between two moments", data: true,
			params: []param{{name: "from", kind: moment, required: true, about: "the earlier moment"}, {name: "to", kind: moment, about: "the later one; now by default"}},
			answer: model.Diff{}, statuses: []int{bad}, handle: s.getDiff},
		{method: "GET", path: "/api/v1/prometheus/targets", summary: "TCP services that listen, for Prometheus' HTTP service discovery", data: true,
			params: []param{host, {name: "program", about: "only services of this program"}, port,
				{name: "loopback", enum: []string{"true", "false"}, def: "false", about: "also services that only their own host reaches"}},
			answer: []model.TargetGroup{}, statuses: []int{bad}, handle: s.getTargets},
		{method: "GET", path: "/api/v1/find", summary: "Where a hardware address, an IP address or a name is", data: true,
			params: []param{{name: "q", required: true, about: "what to look for"}, at}, answer: []model.Found{}, statuses: []int{bad}, handle: s.getFind},
		{method: "GET", path: "/api/v1/nodes", summary: "Nodes of the graph", data: true,
			params: []param{{name: "kind", enum: nodeKinds, many: true, about: "only nodes of these kinds"}, host,
				{name: "q", about: "only nodes that have this text in identifier or attributes"}, limit(0), at},
			answer: []model.Node{}, statuses: []int{bad}, handle: s.getNodes},
		{method: "GET", path: "/api/v1/edges", summary: "Edges of the graph", data: true,
			params: []param{{name: "kind", enum: edgeKinds, many: true, about: "only edges of these kinds"},
				{name: "from", about: "only edges from this node"}, {name: "to", about: "only edges to this node"}, limit(0), at},
			answer: []model.Edge{}, statuses: []int{bad}, handle: s.getEdges},
		{method: "GET", path: "/api/v1/node", summary: "One node and what is around it", data: true,
			params: []param{{name: "id", required: true, about: "identifier of the node"}, depth(8), at, format},
			answer: model.Graph{}, media: graphMedia, statuses: []int{bad, missing}, handle: s.getNode},
		{method: "GET", path: "/api/v1/graph", summary: "The graph", data: true,
			params: []param{{name: "kind", enum: append(append([]string{}, nodeKinds...), edgeKinds...), many: true,
				about: "only nodes of these kinds with the edges between them, or edges of these kinds with the nodes at their ends"}, host, at, format},
			answer: model.Graph{}, media: graphMedia, statuses: []int{bad}, handle: s.getGraph},
		{method: "POST", path: "/api/v1/query", summary: "Ask the graph in openCypher, read-only", data: true,
			body: queryBody{}, answer: queryAnswer{}, statuses: []int{bad, 413, 415, 422}, handle: s.postQuery()},
		{method: "GET", path: "/api/v1/events", summary: "What changed: the latest events, or with Accept: " + mediaEvents + " events as they happen", data: true,
			params: []param{{name: "kind", enum: eventKinds, many: true, about: "only events of these kinds"}, host,
				{name: "since", about: "only events behind this identifier"}, limit(100)},
			answer: []model.Event{}, media: []string{mediaJSON, mediaEvents}, statuses: []int{bad}, handle: s.getEvents},
		{method: "GET", path: "/api/v1/status", summary: "Figures of this process", answer: Status{}, handle: s.getStatus},
		{method: "GET", path: "/api/v1/openapi.json", summary: "This description", media: []string{mediaJSON}, handle: s.getOpenAPI},
		{method: "GET", path: "/metrics", summary: "Metrics for Prometheus", media: []string{"text/plain"}, params: nil, statuses: []int{missing}, handle: s.getMetrics},
		{method: "GET", path: "/-/healthy", summary: "200 while the process serves", media: []string{"text/plain"}, handle: s.getHealthy},
		{method: "GET", path: "/-/ready", summary: "200 once questions can be answered", media: []string{"text/plain"}, statuses: []int{503}, handle: s.getReady},
		{method: "GET", path: "/", summary: "A page for people", media: []string{"text/html"}, handle: s.getLanding},
	}
}

// split tells kinds of nodes from kinds of edges.
func split(kinds []string) (f graph.GraphFilter) {
	for _, k := range kinds {
		if slices.Contains(nodeKinds, k) {
			f.NodeKinds = append(f.NodeKinds, k)
		} else {
			f.EdgeKinds = append(f.EdgeKinds, k)
		}
	}
	return f
}
