package api

import (
	"net/http"
	"slices"
	"strings"

	"cassini/manager/graph"
	"cassini/model"
	"cassini/model/delivery"
)

// route is one thing that is served; the OpenAPI description is made from it.
type route struct {
	method, path string
	summary      string
	params       []param
	data         bool // needs the replayed log
	intake       bool // takes what agents deliver: so many at once
	endless      bool // its answer takes as long as who asks wants
	answer       any  // a value of the type of the answer's body, nil for other media
	media        []string
	body         any      // of the request
	bodyMedia    []string // of a body that is no JSON of ours, instead of body
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
	mediaGzip      = "application/gzip"
	mediaSQLite    = "application/vnd.sqlite3"
)

var (
	nodeKinds = []string{model.KindHost, model.KindService, model.KindEndpoint, model.KindProcess, model.KindUnknownHost,
		model.KindInterface, model.KindIP, model.KindSubnet, model.KindMAC, model.KindSwitch, model.KindSwitchPort, model.KindVLAN, model.KindRing}
	edgeKinds = []string{model.EdgeRuns, model.EdgeListensOn, model.EdgeRunsAs, model.EdgeHas, model.EdgeDependsOn,
		model.EdgeOwns, model.EdgeIn, model.EdgeWiredTo, model.EdgeSees, model.EdgeForwardsTo, model.EdgeOn, model.EdgeNext}
	eventKinds = model.EventKinds()
	ringStates = []string{"up", "hung", "ended", "stopped", "shut-down", "crashed", "link-down", "deaf", "unobservable"}
)

// common are parameters and answers that several routes have.
type common struct {
	host, at, port, format, pkg, key param
	graphMedia                       []string
}

func newCommon() common {
	return common{
		host:       param{name: "host", about: "only what belongs to this host"},
		at:         param{name: "at", kind: moment, about: "ask for this past moment"},
		port:       param{name: "port", kind: number, low: 1, high: 65535, about: "only services on this port"},
		format:     param{name: "format", enum: append([]string{"json"}, exportNames()...), about: "dot is Graphviz', as Accept: " + mediaDOT + " asks for as well; jsonl is a line for each node and edge, sqlite a file of SQLite"},
		pkg:        param{name: "package", about: "only documents of this package"},
		key:        param{name: "key", about: "only documents with this key"},
		graphMedia: []string{mediaJSON, mediaDOT, mediaGraphML, mediaJSONLines, mediaCSV, mediaSQLite},
	}
}

func (common) limit(def int) param {
	return param{name: "limit", kind: number, low: 1, high: 100_000, def: def, about: "at most so many"}
}

func (common) depth(high int) param {
	return param{name: "depth", kind: number, low: 1, high: high, def: 1, about: "how many steps to follow"}
}

// along are which dependencies are asked for.
func (c common) along() []param {
	return []param{c.host, {name: "of", about: "identifier of the service, process or host to begin at; without it all"},
		{name: "direction", enum: []string{"down", "up", "both"}, def: "down", about: "down is what it depends on, up who depends on it"},
		c.depth(64), c.at}
}

func (s *server) table() []route {
	c := newCommon()
	return slices.Concat(s.logRoutes(c), s.logQueryRoutes(c), s.graphRoutes(c), s.nodegraphRoutes(c), s.networkRoutes(c), s.wiringRoutes(c), s.answerRoutes(c), s.estateRoutes(c), s.pageRoutes(c), s.groupRoutes(c), s.ringRoutes(c), s.alertRoutes(), s.auditRoutes(c), s.enrollRoutes(), s.authorityRoutes(), s.processRoutes())
}

// logRoutes are documents, and what they brought.
func (s *server) logRoutes(c common) []route {
	return []route{
		{method: "POST", path: "/api/v1/documents", summary: "Take documents of one host; answers once they are durable", data: true, intake: true,
			body: delivery.UnnumberedBody{}, answer: accepted{}, statuses: intakeStatuses(), handle: s.postDocuments},
		{method: "POST", path: "/api/v1/deliveries", summary: "The same for documents that an agent has numbered: none counts twice, and gaps are noticed", data: true, intake: true,
			body: delivery.Body{}, answer: model.Receipt{}, statuses: intakeStatuses(), handle: s.postDeliveries},
		{method: "GET", path: "/api/v1/documents", summary: "The newest document of every name", data: true,
			params: []param{c.host, c.pkg, c.key, c.at}, answer: []model.Document{}, statuses: []int{http.StatusBadRequest}, handle: s.getDocuments},
		{method: "GET", path: "/api/v1/hashes", summary: "What the newest documents of a host hash to, for an agent that compares them with its own", data: true,
			params: []param{{name: "host", required: true, about: "whose documents"}}, answer: []model.DocumentHash{}, statuses: []int{http.StatusBadRequest}, handle: s.getHashes},
		{method: "GET", path: "/api/v1/history", summary: "What the document log has of a host, newest first", data: true,
			params: []param{{name: "host", required: true, about: "whose documents"}, c.pkg, c.key, c.limit(100),
				{name: "before", kind: entry, about: "only entries before this log key"}},
			answer: []LogEntry{}, statuses: []int{http.StatusBadRequest}, handle: s.getHistory},
		{method: "GET", path: "/api/v1/events", summary: "What changed: the latest events, or with Accept: " + mediaEvents + " events as they happen", data: true,
			params: []param{{name: "kind", enum: eventKinds, many: true, about: "only events of these kinds"}, c.host,
				{name: "since", kind: entry, about: "only events behind this identifier"},
				{name: "node", many: true, whole: true, about: "only events of these nodes, of what is on them where they are hosts, and of dependencies that they are ends of"}, c.limit(100)},
			answer: []model.Event{}, media: []string{mediaJSON, mediaEvents}, statuses: []int{http.StatusBadRequest}, handle: s.getEvents},
	}
}

func intakeStatuses() []int { return []int{http.StatusBadRequest, 408, 413, 415, 426, 429, 503} }

// protocols are what a service can speak.
func protocols() []string {
	return []string{"tcp", "udp", "sctp", model.ProtoUnix, model.ProtoPacket, model.ProtoRaw}
}

// graphRoutes are the graph and its parts.
func (s *server) graphRoutes(c common) []route {
	return []route{
		{method: "GET", path: "/api/v1/services", summary: "Services that listen or listened", data: true,
			params: []param{c.host, {name: "state", enum: []string{model.StateListening, model.StateEnded}, about: "only services in this state"},
				{name: "program", about: "only services of this program"}, {name: "proto", enum: protocols(), about: "only services of this protocol"}, c.at},
			answer: []model.Service{}, statuses: []int{http.StatusBadRequest}, handle: s.getServices},
		{method: "GET", path: "/api/v1/dependencies", summary: "Who is client of whom", data: true,
			params: append(c.along(), c.format),
			answer: []model.DependencyView{}, media: c.graphMedia, statuses: []int{http.StatusBadRequest, http.StatusNotFound}, handle: s.getDependencies},
		{method: "GET", path: "/api/v1/reach", summary: "The same by names alone, and how many steps lead there", data: true,
			params: c.along(), answer: []model.Reached{}, statuses: []int{http.StatusBadRequest, http.StatusNotFound}, handle: s.getReach},
		{method: "GET", path: "/api/v1/nodes", summary: "Nodes of the graph", data: true,
			params: []param{{name: "kind", enum: nodeKinds, many: true, about: "only nodes of these kinds"}, c.host,
				{name: "q", about: "only nodes that have this text in identifier or attributes"}, c.limit(0), c.at},
			answer: []model.Node{}, statuses: []int{http.StatusBadRequest}, handle: s.getNodes},
		{method: "GET", path: "/api/v1/edges", summary: "Edges of the graph", data: true,
			params: []param{{name: "kind", enum: edgeKinds, many: true, about: "only edges of these kinds"},
				{name: "from", about: "only edges from this node"}, {name: "to", about: "only edges to this node"}, c.limit(0), c.at},
			answer: []model.Edge{}, statuses: []int{http.StatusBadRequest}, handle: s.getEdges},
		{method: "GET", path: "/api/v1/node", summary: "One node and what is around it", data: true,
			params: []param{{name: "id", required: true, about: "identifier of the node"}, c.depth(8), c.at, c.format},
			answer: model.Graph{}, media: c.graphMedia, statuses: []int{http.StatusBadRequest, http.StatusNotFound}, handle: s.getNode},
		{method: "GET", path: "/api/v1/graph", summary: "The graph", data: true,
			params: []param{{name: "kind", enum: append(append([]string{}, nodeKinds...), edgeKinds...), many: true,
				about: "only nodes of these kinds with the edges between them, or edges of these kinds with the nodes at their ends"},
				{name: "picture", enum: pictureNames(), about: "a part that is worth a drawing, instead of kinds: cables, services with their clients, or rings"}, c.host, c.at, c.format},
			answer: model.Graph{}, media: c.graphMedia, statuses: []int{http.StatusBadRequest}, handle: s.getGraph},
	}
}

// networkRoutes are what hangs on what by cables, addresses and routes.
func (s *server) networkRoutes(c common) []route {
	return []route{
		{method: "GET", path: "/api/v1/interfaces", summary: "Network interfaces of hosts", data: true,
			params: []param{c.host, c.at}, answer: []model.HostInterface{}, statuses: []int{http.StatusBadRequest}, handle: s.getInterfaces},
		{method: "GET", path: "/api/v1/routes", summary: "Routes of hosts", data: true,
			params: []param{c.host, c.at}, answer: []model.HostRoute{}, statuses: []int{http.StatusBadRequest}, handle: s.getRoutes},
		{method: "GET", path: "/api/v1/rules", summary: "Routing rules of hosts, but for the three that every namespace has", data: true,
			params: []param{c.host, c.at}, answer: []model.HostRule{}, statuses: []int{http.StatusBadRequest}, handle: s.getRules},
		{method: "GET", path: "/api/v1/ports", summary: "Which switch port each cable of a host ends in", data: true,
			params: []param{c.host, {name: "interface", about: "only this interface"},
				{name: "switch", about: "only ports of this switch: its identifier, chassis or name"},
				{name: "ended", enum: []string{"true", "false"}, def: "false", about: "also what is not heard any more"}, c.at},
			answer: []model.Port{}, statuses: []int{http.StatusBadRequest}, handle: s.getPorts},
		{method: "GET", path: "/api/v1/switches", summary: "Switches, and the hosts on their ports", data: true,
			params: []param{c.at}, answer: []model.Switch{}, statuses: []int{http.StatusBadRequest}, handle: s.getSwitches},
		{method: "GET", path: "/api/v1/strangers", summary: "Machines that hosts see and where no agent is", data: true,
			params: []param{c.at}, answer: []model.Stranger{}, statuses: []int{http.StatusBadRequest}, handle: s.getStrangers},
		{method: "GET", path: "/api/v1/uplinks", summary: "How hosts are joined to switches, and what one failure cuts off", data: true,
			params: []param{c.host, {name: "single", enum: []string{"true", "false"}, def: "false", about: "only hosts that one failure cuts off"}, c.at},
			answer: []model.Uplinks{}, statuses: []int{http.StatusBadRequest}, handle: s.getUplinks},
		{method: "GET", path: "/api/v1/shared", summary: "What two hosts have in common", data: true,
			params: []param{{name: "a", required: true, about: "name of a host"}, {name: "b", required: true, about: "name of another"}, c.at},
			answer: []model.Shared{}, statuses: []int{http.StatusBadRequest, http.StatusNotFound}, handle: s.getShared},
		{method: "GET", path: "/api/v1/find", summary: "Where a hardware address, an IP address or a name is", data: true,
			params: []param{{name: "q", required: true, about: "what to look for"}, c.at}, answer: []model.Found{}, statuses: []int{http.StatusBadRequest}, handle: s.getFind},
	}
}

// answerRoutes are questions across the graph.
func (s *server) answerRoutes(c common) []route {
	return []route{
		{method: "GET", path: "/api/v1/overview", summary: "The estate on one screen: what is there, what is sick, what came and went, what must not die", data: true,
			params: []param{{name: "since", kind: moment, required: true, about: "from when on things are new"}, {name: "limit", kind: number, low: 1, high: 1000, def: 5, about: "how many of each to name"},
				{name: "problems", enum: []string{"true", "false"}, def: "false", about: "only what is sick, flapping or gone"}},
			answer: model.Overview{}, statuses: []int{http.StatusBadRequest}, handle: s.getOverview},
		{method: "GET", path: "/api/v1/impact", summary: "What falls when a node dies", data: true,
			params: []param{{name: "of", required: true, about: "identifier of the node: a host, switch, switchport, interface, service or process"}, c.at},
			answer: model.Impact{}, statuses: []int{http.StatusBadRequest, http.StatusNotFound}, handle: s.getImpact},
		{method: "GET", path: "/api/v1/cause", summary: "The fewest failures that explain what ails the estate, the likeliest first, with what speaks for each and against it", data: true,
			params: []param{{name: "symptom", many: true, about: "identifier of a node that is ill; without any, what is seen to be"},
				{name: "since", kind: moment, required: true, about: "from when on failures of connections count"}, {name: "limit", kind: number, low: 1, high: 100, def: 5, about: "at most so many explanations"}, c.at},
			answer: model.Diagnosis{}, statuses: []int{http.StatusBadRequest, http.StatusNotFound}, handle: s.getCause},
		{method: "GET", path: "/api/v1/spof", summary: "Single points of failure: what takes others along when it alone dies", data: true,
			params: []param{{name: "of", about: "only what this node falls with"}, c.limit(100), c.at},
			answer: []model.SinglePoint{}, statuses: []int{http.StatusBadRequest, http.StatusNotFound}, handle: s.getSPOF},
		{method: "GET", path: "/api/v1/path", summary: "A shortest way between two nodes", data: true,
			params: []param{{name: "from", required: true, about: "identifier of a node"}, {name: "to", required: true, about: "identifier of another"}, c.at},
			answer: []model.Step{}, statuses: []int{http.StatusBadRequest, http.StatusNotFound}, handle: s.getPath},
		{method: "GET", path: "/api/v1/unused", summary: "Services that nobody was ever seen to be a client of", data: true,
			params: []param{c.host, c.at}, answer: []model.Service{}, statuses: []int{http.StatusBadRequest}, handle: s.getUnused},
		{method: "GET", path: "/api/v1/exposed", summary: "Services that listen on every address of their host", data: true,
			params: []param{c.host, c.at}, answer: []model.Service{}, statuses: []int{http.StatusBadRequest}, handle: s.getExposed},
		{method: "GET", path: "/api/v1/diff", summary: "What came, went and changed between two moments", data: true,
			params: []param{{name: "from", kind: moment, required: true, about: "the earlier moment"}, {name: "to", kind: moment, about: "the later one; now by default"}},
			answer: model.Diff{}, statuses: []int{http.StatusBadRequest}, handle: s.getDiff},
		{method: "GET", path: "/api/v1/prometheus/targets", summary: "TCP services that listen, for Prometheus' HTTP service discovery", data: true,
			params: []param{c.host, {name: "program", about: "only services of this program"}, c.port,
				{name: "loopback", enum: []string{"true", "false"}, def: "false", about: "also services that only their own host reaches"}},
			answer: []model.TargetGroup{}, statuses: []int{http.StatusBadRequest}, handle: s.getTargets},
		{method: "POST", path: "/api/v1/query", summary: "Ask the graph in openCypher, read-only", data: true,
			body: queryBody{}, answer: queryAnswer{}, statuses: []int{http.StatusBadRequest, 413, 415, 422}, handle: s.postQuery()},
	}
}

// ringRoutes are who watches whom, and what died.
func (s *server) ringRoutes(c common) []route {
	return []route{
		{method: "POST", path: "/api/v1/rings/join", summary: "Take an agent into the rings; its answer holds keys", data: true,
			body: model.Join{}, answer: model.Joined{}, statuses: []int{http.StatusBadRequest, 413, 415, 503}, handle: s.postJoin},
		{method: "POST", path: "/api/v1/rings/rotate", summary: "Take the next keys of all rings into use", data: true,
			statuses: []int{503}, handle: s.postRotate},
		{method: "GET", path: "/api/v1/rings", summary: "Rings with their members in order, and whether they are whole", data: true,
			answer: []model.RingHealth{}, statuses: []int{503}, handle: s.getRings},
		{method: "GET", path: "/api/v1/liveness", summary: "Which hosts are up, and who watches each", data: true,
			params: []param{c.host, {name: "state", enum: ringStates, about: "only hosts in this state"}},
			answer: []model.HostLiveness{}, statuses: []int{http.StatusBadRequest, 503}, handle: s.getLiveness},
		{method: "POST", path: "/api/v1/hosts/forget", summary: "Forget a host that is no more: its documents are withdrawn, its place in rings goes", data: true,
			body: forgetBody{}, answer: model.Forgotten{}, statuses: []int{http.StatusBadRequest, 404, 409, 413, 415, 503}, handle: s.postForget},
		{method: "GET", path: "/api/v1/identities", summary: "Who hosts say they are: machine-id, DMI UUID, boot, hardware addresses; and which share a machine-id", data: true,
			params: []param{c.host, {name: "shared", enum: []string{"true", "false"}, def: "false", about: "only hosts whose machine-id another one has"}, c.at},
			answer: []model.HostIdentity{}, statuses: []int{http.StatusBadRequest}, handle: s.getIdentities},
		{method: "GET", path: "/api/v1/incidents", summary: "What died or went wrong, with its evidence, the newest first; while it is open also what it affects", data: true,
			params: []param{{name: "open", enum: []string{"true", "false"}, def: "false", about: "only what is not over"}, c.limit(100), c.at},
			answer: []model.Incident{}, statuses: []int{http.StatusBadRequest}, handle: s.getIncidents},
	}
}

// processRoutes are about this process itself.
func (s *server) processRoutes() []route {
	return []route{
		{method: "GET", path: "/api/v1/status", summary: "Figures of this process", answer: Status{}, handle: s.getStatus},
		{method: "GET", path: "/api/v1/openapi.json", summary: "This description", media: []string{mediaJSON}, handle: s.getOpenAPI},
		{method: "GET", path: "/metrics", summary: "Metrics for Prometheus", media: []string{"text/plain"}, params: nil, statuses: []int{http.StatusNotFound}, handle: s.getMetrics},
		{method: "GET", path: "/-/healthy", summary: "200 while the process serves", media: []string{"text/plain"}, handle: s.getHealthy},
		{method: "GET", path: "/-/ready", summary: "200 once questions can be answered", media: []string{"text/plain"}, statuses: []int{503}, handle: s.getReady},
		{method: "GET", path: "/api/v1/backup", summary: "A backup of the manager while it works, with its keys: a compressed tar", data: true, endless: true, media: []string{mediaGzip}, handle: s.getBackup},
		{method: "POST", path: "/api/v1/store/compact", summary: "Give space that the document log does not use back to the file system, while the manager works", data: true, endless: true,
			answer: model.Compacted{}, statuses: []int{409, 503, 507}, handle: s.postCompact},
		{method: "POST", path: "/-/reload", summary: "Read the configuration again; on an error the one before stays", answer: model.Reloaded{}, statuses: []int{http.StatusNotFound, 422}, handle: s.postReload},
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
