package graph

import (
	"fmt"
	"slices"
	"time"

	"cassini/model"
)

// host is a machine whose agent reported.
type host struct {
	name      string
	firstSeen time.Time
	known     time.Time // the same by the manager's clock
	lastSeen  time.Time
	identity  *model.Identity
	os        *model.OS
	services  map[string]*service
	ended     int // of services
}

func (g *Graph) seeHost(doc model.Document, e *events) {
	h, ok := g.hosts[doc.Host]
	if !ok {
		h = &host{name: doc.Host, firstSeen: doc.Time, known: e.at, services: make(map[string]*service)}
		g.hosts[doc.Host] = h
		g.topology++
		e.add(model.EventHostSeen, model.HostID(doc.Host), doc.Host+" reports for the first time")
	}
	if doc.Time.After(h.lastSeen) {
		h.lastSeen = doc.Time
	}
	if doc.Time.Before(h.firstSeen) {
		h.firstSeen = doc.Time
	}
}

func (g *Graph) applyIdentity(doc model.Document, e *events) bool {
	h := g.hosts[doc.Host]
	if doc.Gone() {
		h.identity = nil
		return true
	}
	var now model.Identity
	if doc.Decode(&now) != nil {
		return false
	}
	if before := h.identity; before != nil {
		if what := identityChange(*before, now); what != "" {
			e.add(model.EventHostChanged, model.HostID(doc.Host), doc.Host+" "+what)
		}
	}
	h.identity = &now
	return true
}

func identityChange(before, now model.Identity) string {
	switch {
	case before.MachineID != now.MachineID:
		return fmt.Sprintf("has another machine-id: %s instead of %s", now.MachineID, before.MachineID)
	case before.BootID != now.BootID:
		return "was booted at " + now.BootTime.UTC().Format(time.RFC3339)
	case before.Agent != now.Agent:
		return fmt.Sprintf("has agent %s instead of %s", now.Agent, before.Agent)
	case !before.AgentStart.Equal(now.AgentStart):
		return "restarted its agent"
	case before.Hostname != now.Hostname:
		return fmt.Sprintf("is called %s instead of %s", now.Hostname, before.Hostname)
	}
	return ""
}

func (g *Graph) applyOS(doc model.Document, e *events) bool {
	h := g.hosts[doc.Host]
	if doc.Gone() {
		h.os = nil
		return true
	}
	var now model.OS
	if doc.Decode(&now) != nil {
		return false
	}
	if before := h.os; before != nil {
		switch {
		case before.Kernel != now.Kernel:
			e.add(model.EventHostChanged, model.HostID(doc.Host), fmt.Sprintf("%s runs kernel %s instead of %s", doc.Host, now.Kernel, before.Kernel))
		case before.Name != now.Name:
			e.add(model.EventHostChanged, model.HostID(doc.Host), fmt.Sprintf("%s runs %s instead of %s", doc.Host, now.Name, before.Name))
		}
	}
	h.os = &now
	return true
}

func (h *host) attrs() model.Attrs {
	a := model.Attrs{"name": h.name, "first_seen": h.firstSeen.UTC(), "last_seen": h.lastSeen.UTC()}
	if id := h.identity; id != nil {
		set(a, "hostname", id.Hostname)
		set(a, "machine_id", id.MachineID)
		set(a, "boot_id", id.BootID)
		set(a, "boot_time", id.BootTime.UTC())
		set(a, "agent_version", id.Agent)
		set(a, "agent_start", id.AgentStart.UTC())
	}
	if os := h.os; os != nil {
		set(a, "os", os.Name)
		set(a, "os_id", os.ID)
		set(a, "os_version", os.Version)
		set(a, "kernel", os.Kernel)
		set(a, "arch", os.Arch)
	}
	return a
}

// set adds an attribute that has a value.
func set[T comparable](a model.Attrs, key string, value T) {
	var zero T
	if value != zero {
		a[key] = value
	}
}

// HostNames are the hosts whose agents reported, in order.
func (g *Graph) HostNames() []string {
	g.mu.RLock()
	defer g.mu.RUnlock()
	names := sortedKeys(g.hosts)
	slices.SortFunc(names, natural)
	return names
}
