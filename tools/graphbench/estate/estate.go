// Package estate makes the documents that the agents of a large estate would send: hosts
// in three tiers on switches of 48, few services that are very popular and many that are
// not, both ends of every connection. The same size and seed give the same documents.
package estate

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"time"

	"cassini/model"
)

// SwitchPorts is how many hosts a switch has.
const SwitchPorts = 48

// Begin is when the first document was written; each further one is a millisecond later.
var Begin = time.Date(2026, 11, 20, 19, 0, 0, 0, time.UTC)

// Estate is safe for concurrent use: it has no state.
type Estate struct {
	Hosts int
	Seed  uint64
}

// Tiers in the order in which they depend on each other.
const (
	Web = iota
	App
	DB
)

// tiers have 60, 35 and 5 of 100 hosts. Dials is how many services of the next tier a
// host's service is a client of; databases have one replica to write to.
var tiers = [...]struct {
	name  string
	port  uint16
	dials int
}{{"web", 443, 8}, {"app", 8080, 5}, {"db", 5432, 1}}

// span is the first host of a tier and the first after it.
func (e Estate) span(tier int) (from, end int) {
	bounds := [...]int{0, e.Hosts * 60 / 100, e.Hosts * 95 / 100, e.Hosts}
	return bounds[tier], bounds[tier+1]
}

func (e Estate) tier(h int) int {
	for t := range tiers {
		if _, end := e.span(t); h < end {
			return t
		}
	}
	return DB
}

// Host is the name of a host by its number.
func (e Estate) Host(h int) string { return fmt.Sprintf("%s-%d", tiers[e.tier(h)].name, h) }

// Service is the identifier of what a host's tier is for.
func (e Estate) Service(h int) string {
	t := tiers[e.tier(h)]
	return model.ServiceID(e.Host(h), e.program(h).Program(), "tcp", t.port, "")
}

// Switch is the identifier of a host's switch.
func Switch(h int) string { return model.SwitchID(chassis(h)) }

// Pick is a random host of a tier.
func (e Estate) Pick(r *rand.Rand, tier int) int {
	from, end := e.span(tier)
	return from + r.IntN(end-from)
}

func chassis(h int) string {
	s := h / SwitchPorts
	return fmt.Sprintf("00:1b:fc:%02x:%02x:%02x", byte(s>>16), byte(s>>8), byte(s))
}

// addr is a host's in the /26 of its switch.
func addr(h int) netip.Addr {
	n := h/SwitchPorts*64 + h%SwitchPorts + 1
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

// program is a program of its own on each host, so that none stands in for another.
func (e Estate) program(h int) model.Process {
	name := e.Host(h)
	return process("/opt/"+name+"/bin/"+name, name, 1000+h%30000)
}

func process(exe, user string, pid int) model.Process {
	return model.Process{PID: pid, Exe: exe, Cmdline: []string{exe, "--config", "/etc/" + user + ".conf"}, UID: user, GID: user, Cwd: "/"}
}

// Documents are all of the estate, host by host. An error is of encoding and ends them.
func (e Estate) Documents() iter.Seq2[model.Document, error] {
	return func(yield func(model.Document, error) bool) {
		w := writer{yield: yield, now: Begin, more: true}
		for h := 0; h < e.Hosts && w.more; h++ {
			e.machine(&w, h)
			e.listeners(&w, h)
		}
		r := rand.New(rand.NewPCG(e.Seed, uint64(e.Hosts)))
		for h := 0; h < e.Hosts && w.more; h++ {
			e.dependencies(&w, r, h)
		}
	}
}

// writer gives documents their times and hands them out until nobody wants more.
type writer struct {
	yield func(model.Document, error) bool
	now   time.Time
	more  bool
}

func (w *writer) put(host, pkg, key string, body any) {
	if !w.more {
		return
	}
	w.now = w.now.Add(time.Millisecond)
	doc, err := model.NewDocument(model.Name{Host: host, Package: pkg, Key: key}, w.now, body)
	w.more = w.yield(doc, err) && err == nil
}
