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
	"net/netip"
	"sync"
	"sync/atomic"
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
	DefaultDependencies = 1_000_000
	DefaultEndedPerHost = 1000
	DefaultSightings    = 200_000
)

// Graph is safe for concurrent use: each answer is of one moment.
type Graph struct {
	limits Limits

	mu        sync.RWMutex
	hosts     map[string]*host
	telling   *host // of the newest document; nil when it is gone
	services  serviceTable
	listening int // of services
	addresses addressTable
	programs  programs
	runs      runs
	deps      dependencies
	pairs     pairs

	cards   map[string]int // interfaces with a hardware address
	unheard map[string]int // neighbors that have ended, by host

	seen       map[model.Name]*seen
	seenBy     whereabouts[*seen]
	askedBy    whereabouts[*client]
	behind     whereabouts[*forwarding]
	meant      whereabouts[*neighbor] // present ones, by hardware address alone
	clients    map[model.Name]*client
	servers    map[model.Name]*server
	serving    map[netip.Addr]int // of servers
	routes     map[model.Name]hostRoute
	rules      map[model.Name]model.HostRule
	rings      map[string]*model.Ring
	incidents  incidents.Book
	findings   *findings.Watch
	acks       map[string]model.Ack // by the incident's identifier
	silences   map[string]model.Silence
	labels     map[string]model.HostLabels // by host
	refused    map[string]model.Refused    // likewise
	machines   machines
	numbered   map[string]bool // hosts whose host name another machine had first
	forwarding map[model.Name]*forwarding
	containers containers
	herds      map[model.Name]*herd // of which there were several lives
	asked      askedNames
	askedOf    map[netip.Addr][]*model.Asked // the same by address

	translations translations

	flaps  flaps.Book
	newest time.Time // of documents
	clock  func() time.Time

	documents  uint64
	rejected   map[string]uint64
	forgotten  uint64
	undirected int

	topology uint64 // grows with each change of anything but counters
	built    *view
	// crowdFrom is from how many edges to a node on those that come are put in order late.
	crowdFrom int
	dueMost   int         // changes that wait until somebody asks
	due       changes     // that built does not follow yet
	question  atomic.Bool // was asked since it last followed
	replicas  replicas
	texts     texts
	idle      idle
	words     uint64 // grows with each change of what names things in many answers
	written   written
	spent     spent
}

// New makes an empty graph.
func New(limits Limits) *Graph {
	limits.Dependencies = cmp.Or(limits.Dependencies, DefaultDependencies)
	limits.Sightings = cmp.Or(limits.Sightings, DefaultSightings)
	limits.EndedPerHost = cmp.Or(limits.EndedPerHost, DefaultEndedPerHost)
	limits.Learn = cmp.Or(limits.Learn, findings.DefaultLearn)
	g := &Graph{
		limits:    limits,
		crowdFrom: crowdFrom,
		dueMost:   mostDue,
		hosts:     make(map[string]*host),
		services:  newServices(),
		addresses: newAddresses(),
		programs:  newPrograms(),
		runs:      newRuns(),
		deps:      newDependencies(),
		rejected:  make(map[string]uint64),

		translations: newTranslations(),
		written:      written{most: maxWritten},

		cards: make(map[string]int),

		seen:       make(map[model.Name]*seen),
		unheard:    make(map[string]int),
		seenBy:     newWhereabouts[*seen](),
		askedBy:    newWhereabouts[*client](),
		behind:     newWhereabouts[*forwarding](),
		meant:      newWhereabouts[*neighbor](),
		clients:    make(map[model.Name]*client),
		servers:    make(map[model.Name]*server),
		serving:    make(map[netip.Addr]int),
		routes:     make(map[model.Name]hostRoute),
		rules:      make(map[model.Name]model.HostRule),
		rings:      make(map[string]*model.Ring),
		forwarding: make(map[model.Name]*forwarding),
		containers: make(containers),
		herds:      make(map[model.Name]*herd),
		acks:       make(map[string]model.Ack),
		silences:   make(map[string]model.Silence),
		labels:     make(map[string]model.HostLabels),
		refused:    make(map[string]model.Refused),
		asked:      make(askedNames),
		askedOf:    make(map[netip.Addr][]*model.Asked),
		machines:   make(machines),
		numbered:   make(map[string]bool),
	}
	g.findings = findings.New(&g.incidents, limits.Learn, g.isUp)
	return g
}

// Apply takes the document that stands in the log under logKey: what ApplyAll does, for
// one.
func (g *Graph) Apply(logKey string, doc model.Document) []model.Event {
	return g.ApplyAll([]Decoded{Decode(logKey, doc)})
}

// atOnce is how many documents are applied before questions get their turn.
const atOnce = 512

// ApplyAll takes documents in the order of the log, in which they have to come. It returns
// what a person may want to hear of, in that order. A document that it cannot understand
// is counted and changes nothing. Questions are answered in between.
func (g *Graph) ApplyAll(docs []Decoded) []model.Event { return g.ApplyInto(nil, docs) }

// ApplyInto is ApplyAll which appends to a list.
func (g *Graph) ApplyInto(list []model.Event, docs []Decoded) []model.Event {
	for len(docs) > 0 {
		some := docs[:min(atOnce, len(docs))]
		docs = docs[len(some):]
		list = g.applySome(some, list)
	}
	return list
}

func (g *Graph) applySome(docs []Decoded, list []model.Event) []model.Event {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range docs {
		doc := &docs[i]
		e := events{key: doc.key, host: doc.Host, time: doc.Time, at: doc.at, list: list}
		g.apply(doc, &e)
		list = e.list
	}
	g.follow()
	return list
}

// apply takes one document; the caller holds the lock.
func (g *Graph) apply(doc *Decoded, e *events) {
	g.documents++
	if at := e.learned(); at.After(g.newest) {
		g.newest = at
	}
	g.findings.Advance(e.at)
	g.tellFindings(e)
	switch doc.Package {
	case model.PackageVerdicts, model.PackageRings, model.PackageAcks, model.PackageSilences, model.PackageLabels, model.PackageRefused, model.PackageForgotten: // of the manager, which need not be a host
	default:
		if doc.Gone() && g.hosts[doc.Host] == nil {
			return // nothing is known of it, and it said nothing
		}
		g.seeHost(doc, e)
	}
	g.spent.told(doc.Name)
	pkg := doc.Package
	ok, known := g.applyBody(doc, e)
	if !known {
		pkg = "other"
	}
	if !ok {
		g.rejected[pkg]++
	}
	g.tellFindings(e)
}

// applyBody applies what is in a document; ok is false when it could not be understood,
// known when there is no such package.
func (g *Graph) applyBody(doc *Decoded, e *events) (ok, known bool) {
	known = true
	switch doc.Package {
	case model.PackageListeners:
		ok = g.applyListener(doc, e)
	case model.PackageDependencies:
		ok = g.applyDependency(doc, e)
	case model.PackageIdentity:
		ok = g.applyIdentity(doc, e)
	case model.PackageOS:
		ok = g.applyOS(doc, e)
	case model.PackageNetConfig:
		ok = g.applyInterface(doc, e)
	case model.PackageNeighbors:
		ok = g.applyNeighbor(doc, e)
	case model.PackageSeen:
		ok = g.applySeen(doc, e)
	case model.PackageDHCP:
		ok = g.applyClient(doc, e)
	case model.PackageDHCPServers:
		ok = g.applyServer(doc, e)
	case model.PackageForwarding:
		ok = g.applyForwarding(doc, e)
	case model.PackageRoutes:
		ok = g.applyRoute(doc, e)
	case model.PackageRules:
		ok = g.applyRule(doc, e)
	case model.PackageContainers:
		ok = g.applyContainer(doc)
	case model.PackagePrograms:
		ok = g.applyProgram(doc)
	case model.PackageNames:
		ok = g.applyAsked(doc)
	case model.PackageTranslations:
		ok = g.applyTranslation(doc)
	case model.PackageVerdicts:
		ok = g.applyVerdict(doc, e)
	case model.PackageRings:
		ok = g.applyRing(doc, e)
	case model.PackageAcks:
		ok = g.applyAck(doc)
	case model.PackageSilences:
		ok = g.applySilence(doc)
	case model.PackageLabels:
		ok = g.applyLabels(doc)
	case model.PackageRefused:
		ok = g.applyRefused(doc, e)
	case model.PackageForgotten:
		ok = g.applyForgotten(doc, e)
	default:
		return false, false
	}
	return ok, known
}

// read runs f on the graph as it stands, joined.
func (g *Graph) read(f func(v *view)) {
	for range readTries {
		g.mu.RLock()
		if !g.question.Load() {
			g.question.Store(true)
		}
		if g.joined() {
			defer g.mu.RUnlock()
			f(g.built)
			return
		}
		g.mu.RUnlock()
		g.mu.Lock()
		g.prepare()
		g.mu.Unlock()
	}
	g.mu.Lock() // others change it each time
	defer g.mu.Unlock()
	g.prepare()
	f(g.built)
}

// readTries is how often the graph is made ready for a question while others can ask and tell.
const readTries = 3

// joined says whether the graph is ready for questions.
func (g *Graph) joined() bool {
	v := g.built
	return v != nil && v.topology == g.topology && len(v.crowded) == 0
}

// prepare makes the graph ready for questions. The caller holds the lock.
func (g *Graph) prepare() {
	g.settle()
	if g.built == nil {
		g.built = g.build()
	}
	g.built.order()
}
