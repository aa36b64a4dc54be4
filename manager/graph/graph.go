// Package graph is the property graph that the manager derives from documents:
// hosts, what runs on them, and who is client of whom. It performs no I/O and
// reads no clock, so that replaying the document log gives the same graph and the
// same events, and replaying part of it gives the graph of a past moment.
//
// Facts (hosts, services, dependencies, addresses) are kept as the documents tell
// them. How they join is worked out from the facts alone, when somebody asks and
// something other than counters has changed since: the order in which hosts
// report cannot matter.
package graph

import (
	"cmp"
	"sync"
	"time"

	"cassini/manager/findings"
	"cassini/manager/flaps"
	"cassini/manager/incidents"
	"cassini/model"
)

// Limits bound the graph. Zero values mean the defaults.
type Limits struct {
	Dependencies int // documents; the longest idle are forgotten beyond it
	EndedPerHost int // ended services; the longest ended are forgotten beyond it
	// Sightings of machines without an agent, of DHCP's clients and of its servers, of
	// containers and of addresses with names, each; the longest unchanged are forgotten beyond it.
	Sightings int
	// Learn is how long a host is known until a new listener is an incident.
	Learn time.Duration
}

// Default limits.
const (
	DefaultDependencies = 200_000
	DefaultEndedPerHost = 1000
	DefaultSightings    = 200_000
)

// Graph is safe for concurrent use: each answer is of one moment.
type Graph struct {
	limits Limits

	mu        sync.RWMutex
	hosts     map[string]*host
	services  map[string]*service
	listening map[model.Name]socket // what the newest document of a listener describes
	sockets   map[socket]map[string]*service
	addresses map[address]map[place]int
	deps      map[model.Name]*dependency
	outs, ins map[link][]*dependency
	pairs     map[string]int // dependencies behind each pair that was announced

	interfaces map[model.Name]*iface
	// Of interfaces: those of each host, and how many have a hardware address.
	interfacesOf map[string]map[model.Name]*iface
	cards        map[string]int

	neighbors  map[model.Name]*neighbor
	heard      map[string]map[model.Name]*neighbor // by ID of the interface
	unheard    map[string]int                      // neighbors that have ended, by host
	seen       map[model.Name]*seen
	seenMACs   map[string]int // of seen
	clients    map[model.Name]*client
	asking     map[string]int // hardware addresses of clients
	servers    map[model.Name]*server
	routes     map[model.Name]hostRoute
	rules      map[model.Name]model.HostRule
	rings      map[string]*model.Ring
	incidents  incidents.Book
	findings   *findings.Watch
	acks       map[string]model.Ack // by the incident's identifier
	silences   map[string]model.Silence
	readings   map[string]*reading // of counters, by host
	machines   machines
	forwarding map[model.Name]*forwarding
	containers containers
	asked      askedNames

	flaps  flaps.Book
	newest time.Time // of documents
	clock  func() time.Time

	documents  uint64
	rejected   map[string]uint64
	forgotten  uint64
	undirected int

	topology uint64 // grows with each change of anything but counters
	built    *view
}

// New makes an empty graph.
func New(limits Limits) *Graph {
	limits.Dependencies = cmp.Or(limits.Dependencies, DefaultDependencies)
	limits.Sightings = cmp.Or(limits.Sightings, DefaultSightings)
	limits.EndedPerHost = cmp.Or(limits.EndedPerHost, DefaultEndedPerHost)
	limits.Learn = cmp.Or(limits.Learn, findings.DefaultLearn)
	g := &Graph{
		limits:    limits,
		hosts:     make(map[string]*host),
		services:  make(map[string]*service),
		listening: make(map[model.Name]socket),
		sockets:   make(map[socket]map[string]*service),
		addresses: make(map[address]map[place]int),
		deps:      make(map[model.Name]*dependency),
		outs:      make(map[link][]*dependency),
		ins:       make(map[link][]*dependency),
		pairs:     make(map[string]int),
		rejected:  make(map[string]uint64),

		interfaces:   make(map[model.Name]*iface),
		interfacesOf: make(map[string]map[model.Name]*iface),
		cards:        make(map[string]int),

		neighbors:  make(map[model.Name]*neighbor),
		seen:       make(map[model.Name]*seen),
		heard:      make(map[string]map[model.Name]*neighbor),
		unheard:    make(map[string]int),
		seenMACs:   make(map[string]int),
		clients:    make(map[model.Name]*client),
		asking:     make(map[string]int),
		servers:    make(map[model.Name]*server),
		routes:     make(map[model.Name]hostRoute),
		rules:      make(map[model.Name]model.HostRule),
		rings:      make(map[string]*model.Ring),
		forwarding: make(map[model.Name]*forwarding),
		containers: make(containers),
		acks:       make(map[string]model.Ack),
		silences:   make(map[string]model.Silence),
		readings:   make(map[string]*reading),
		asked:      make(askedNames),
		machines:   make(machines),
	}
	g.findings = findings.New(&g.incidents, limits.Learn, g.isUp)
	return g
}

// Apply takes the document that stands in the log under logKey. Documents come
// in the order of the log. It returns what a person may want to hear of. A
// document that it cannot understand is counted and changes nothing.
func (g *Graph) Apply(logKey string, doc model.Document) []model.Event {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.documents++
	if doc.Time.After(g.newest) {
		g.newest = doc.Time
	}
	e := events{key: logKey, host: doc.Host, time: doc.Time, at: received(logKey, doc)}
	g.findings.Advance(e.at)
	g.tellFindings(&e)
	switch doc.Package {
	case model.PackageVerdicts, model.PackageRings, model.PackageAcks, model.PackageSilences: // of the manager, which need not be a host
	default:
		g.seeHost(doc, &e)
	}
	var ok bool
	pkg := doc.Package
	switch pkg {
	case model.PackageListeners:
		ok = g.applyListener(doc, &e)
	case model.PackageDependencies:
		ok = g.applyDependency(doc, &e)
	case model.PackageIdentity:
		ok = g.applyIdentity(doc, &e)
	case model.PackageOS:
		ok = g.applyOS(doc, &e)
	case model.PackageNetConfig:
		ok = g.applyInterface(doc, &e)
	case model.PackageNeighbors:
		ok = g.applyNeighbor(doc, &e)
	case model.PackageSeen:
		ok = g.applySeen(doc, &e)
	case model.PackageDHCP:
		ok = g.applyClient(doc, &e)
	case model.PackageDHCPServers:
		ok = g.applyServer(doc, &e)
	case model.PackageForwarding:
		ok = g.applyForwarding(doc, &e)
	case model.PackageRoutes:
		ok = g.applyRoute(doc, &e)
	case model.PackageRules:
		ok = g.applyRule(doc, &e)
	case model.PackageContainers:
		ok = g.applyContainer(doc)
	case model.PackageNames:
		ok = g.applyAsked(doc)
	case model.PackageVerdicts:
		ok = g.applyVerdict(doc, &e)
	case model.PackageRings:
		ok = g.applyRing(doc, &e)
	case model.PackageAcks:
		ok = g.applyAck(doc)
	case model.PackageSilences:
		ok = g.applySilence(doc)
	default:
		pkg = "other"
	}
	if !ok {
		g.rejected[pkg]++
	}
	g.tellFindings(&e)
	return e.list
}

// read runs f on the graph as it stands, joined.
func (g *Graph) read(f func(v *view)) {
	g.mu.RLock()
	if g.built != nil && g.built.topology == g.topology {
		defer g.mu.RUnlock()
		f(g.built)
		return
	}
	g.mu.RUnlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.built == nil || g.built.topology != g.topology {
		g.built = g.build()
	}
	f(g.built)
}
